import pytest

from contract import keys
from contract.errors import SourceError

OF_A_SOURCE = (keys.crops, keys.results, keys.dead, keys.inbox, keys.quarantined, keys.frames)


def test_the_keys_of_a_source_differ_and_share_a_slot():
    names = [make("front") for make in OF_A_SOURCE]
    assert len(set(names)) == len(names)
    assert all("{front}" in name for name in names)


def test_the_names_that_other_programs_rely_on_are_unchanged():
    assert (keys.crops("a"), keys.results("a"), keys.dead("a")) == (
        "emotii:{a}:crops",
        "emotii:{a}:results",
        "emotii:{a}:dead",
    )
    assert (keys.SOURCES, keys.WORKERS) == ("emotii:sources", "emotii:workers")


@pytest.mark.parametrize("name", ["a", "front-door_2", "x" * 32, keys.UPLOADS])
def test_a_source_can_have_a_plain_name(name):
    assert keys.source_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 33, "A", "a b", "}{", "ä", "a\n", "../a", "a\0", "a:b"])
def test_a_source_cannot_have_a_name_that_could_break_a_key(name):
    with pytest.raises(SourceError, match="cannot name a source"):
        keys.source_name(name)
