import pytest

from contract.address import added_kind
from contract.errors import SourceError
from contract.messages import AddedSource
from contract.runtime_settings import HIGHEST_REVISION, Choice, RuntimeSettings, StoredChoice

DEFAULTS = RuntimeSettings(saving=True)
STRICT = RuntimeSettings(saving=False, blur="mask")


def test_chosen_settings_replace_the_defaults():
    stored = StoredChoice.read({b"saving": b"false", b"blur": b'"mask"', b"revision": b"3"})
    assert stored.choice.over(DEFAULTS) == STRICT
    assert (stored.choice.revision, stored.revision, stored.damaged) == (3, b"3", False)
    assert StoredChoice.read({}).choice.over(DEFAULTS) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"saving", b'"yes"'),
        (b"saving", b"1"),
        (b"saving", b"{"),
        (b"saving", b"[" * 100_000),
        (b"blur", b'"much"'),
        (b"revision", b"9" * 5000),
        (b"revision", b"-1"),
        (b"later", b"1"),
        (b"\xff", b"1"),
    ],
)
def test_an_invalid_stored_field_is_named_and_does_not_affect_the_others(name, value):
    stored = StoredChoice.read({b"blur": b'"blur"', name: value})
    assert stored.choice.over(DEFAULTS).saving
    assert stored.unusable == {name.decode(errors="replace")}
    assert stored.damaged is (name in {b"saving", b"blur", b"revision"})


@pytest.mark.parametrize(
    ("known", "stored", "merged"),
    [
        (Choice(revision=5, saving=False, blur="mask"), Choice(), Choice(revision=6, saving=False, blur="mask")),
        (
            Choice(revision=5, blur="mask"),
            Choice(revision=2, saving=False),
            Choice(revision=6, saving=False, blur="mask"),
        ),
        (Choice(revision=5, saving=True), Choice(revision=2, saving=False), Choice(revision=6, saving=False)),
        (Choice(revision=5, saving=False), Choice(revision=9, saving=True), Choice(revision=10, saving=False)),
        (Choice(revision=5, saving=True, blur="off"), Choice(), Choice(revision=6, saving=True, blur="off")),
        (Choice(revision=5, blur="blur"), Choice(revision=2, blur="off"), Choice(revision=6, blur="blur")),
    ],
)
def test_of_two_choices_of_which_none_is_known_to_be_the_last_the_stricter_holds(known, stored, merged):
    assert known.merged(stored, DEFAULTS) == merged


def test_a_loose_stored_choice_does_not_loosen_a_strict_default():
    assert Choice(revision=5).merged(Choice(saving=True), STRICT).over(STRICT) == STRICT


def test_the_fields_of_a_choice_are_read_as_the_same_choice():
    choice = Choice(revision=7, saving=False, blur="blur")
    stored = {name.encode(): value.encode() for name, value in choice.fields().items()}
    assert StoredChoice.read(stored).choice == choice


def test_an_added_source_shows_its_address_neither_as_text_nor_in_errors():
    source = AddedSource(name="door", address="rtsp://user:hunter2@host/", added_ms=1)
    assert "hunter2" not in repr(source)
    assert "hunter2" in source.model_dump_json()
    with pytest.raises(ValueError, match="detector") as raised:
        AddedSource.model_validate_json(source.model_dump_json().replace('"detector":null', '"detector":"hunter2"'))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0", "webcam"),
        ("demo", "demo"),
        ("/videos/a.mp4", "path"),
        ("rtsp://user:hunter2@host/", "stream"),
    ],
)
def test_allowed_addresses_of_added_sources_have_the_expected_kind(address, kind):
    assert added_kind("door", address) == kind


@pytest.mark.parametrize(
    "address",
    [
        "rtsp//user:hunter2@host/",
        "//user:hunter2@host/",
        "/user:hunter2@host/",
        "hunter2@host/",
        "rtsp:/user:hunter2@host/",
        "rtsp://user:hunter2/x@host/",
        "gopher://user:hunter2@host/",
        "inbox",
        "clips/hunter2.mp4",
        "",
        "rtsp://host/\nhunter2",
    ],
)
def test_a_refused_address_of_an_added_source_shows_no_password(address):
    with pytest.raises(SourceError) as raised:
        added_kind("door", address)
    assert "hunter2" not in str(raised.value)


def test_what_follows_the_highest_revision_can_still_be_read():
    highest = Choice(revision=HIGHEST_REVISION, saving=True)
    for choice in (highest.changed({"saving": False}), Choice(saving=False).merged(highest, DEFAULTS)):
        stored = {name.encode(): value.encode() for name, value in choice.fields().items()}
        assert not StoredChoice.read(stored).damaged
        assert StoredChoice.read(stored).choice.saving is False
