"""What Redis loses of the added sources is told from what somebody removed."""

from contract.added_sources import HIGHEST_REVISION, REVISION, KnownSources, Restoration
from contract.redis.stored import LONGEST_VALUE

DOOR, HALL = {b"door": b"1"}, {b"hall": b"2"}


def at(revision: int, *sources: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {REVISION: b"%d" % revision} | {name: value for one in sources for name, value in one.items()}


def known(*steps: dict[bytes, bytes]) -> KnownSources:
    sources = KnownSources()
    for stored in steps:
        assert sources.follow(stored) is None
    return sources


def test_a_source_that_is_gone_at_a_later_revision_was_removed():
    sources = known(at(1, DOOR), at(2, DOOR, HALL), at(3, HALL))
    assert sources.sources == HALL


def test_sources_that_redis_has_lost_stay_until_they_are_written_back():
    sources = known(at(2, DOOR, HALL), at(3, DOOR))
    assert sources.follow({}) == Restoration(b"", 4, DOOR, lost=("door",))
    assert sources.sources == DOOR
    assert sources.follow(at(4, DOOR)) is None


def test_a_source_that_a_crash_of_redis_brings_back_is_removed_again_and_one_that_was_new_is_kept():
    sources = known(at(2, DOOR, HALL), at(3, DOOR))
    garden = {b"garden": b"3"}
    assert sources.follow(at(2, DOOR, HALL, garden)) == Restoration(b"2", 4, {**DOOR, **garden}, (b"hall",))


def test_what_this_process_has_just_added_or_removed_is_known_before_the_next_poll():
    sources = known(at(2, HALL))
    sources.changed("hall", None)
    sources.changed("door", "1")
    assert sources.follow({}) == Restoration(b"", 5, DOOR, lost=("door",))
    assert sources.follow(at(3, HALL)) == Restoration(b"3", 5, DOOR, (b"hall",), ("door",))


def test_a_damaged_revision_is_a_loss():
    sources = known(at(2, DOOR))
    for damaged in (b"", b"-1", b"9" * 5000, b"x"):
        assert sources.follow({REVISION: damaged, **HALL}) == Restoration(damaged, 3, {**HALL, **DOOR}, lost=("door",))


def test_sources_of_an_older_release_are_believed_and_get_a_revision():
    sources = KnownSources()
    assert sources.follow(DOOR) == Restoration(b"", 1, {})
    assert sources.sources == DOOR
    assert sources.follow({}) is None
    assert sources.sources == {}


def test_the_highest_revision_is_not_restored_for_ever():
    sources = known(at(HIGHEST_REVISION, DOOR))
    sources.changed("hall", "2")
    assert sources.follow(at(HIGHEST_REVISION, DOOR, HALL)) is None
    assert sources.follow({}) == Restoration(b"", HIGHEST_REVISION, DOOR | HALL, lost=("door", "hall"))
    assert sources.follow(at(HIGHEST_REVISION, DOOR, HALL)) is None


def test_what_can_be_no_source_is_not_written_back_once_it_is_gone():
    malformed = dict.fromkeys((b"", b"..", b"/etc", b"a\0b", b"\xff", b"1" * 5000), b"x")
    sources = known(at(2, DOOR, malformed, {b"long": b"x" * (LONGEST_VALUE + 1)}))
    assert sources.follow({}) == Restoration(b"", 3, DOOR, lost=("door",))
    assert sources.follow(malformed) == Restoration(b"", 3, DOOR, lost=("door",))
