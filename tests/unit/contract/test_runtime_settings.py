import pytest

from contract.address import added_kind
from contract.errors import SourceError
from contract.messages import AddedSource
from contract.runtime_settings import RuntimeSettings

DEFAULTS = RuntimeSettings(saving=True)


def test_stored_settings_replace_the_defaults():
    assert DEFAULTS.changed_by({b"saving": b"false", b"blur": b'"mask"'}) == (
        RuntimeSettings(saving=False, blur="mask"),
        frozenset(),
    )
    assert DEFAULTS.changed_by({}) == (DEFAULTS, frozenset())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"saving", b'"yes"'),
        (b"saving", b"1"),
        (b"saving", b"{"),
        (b"blur", b'"much"'),
        (b"later", b"1"),
        (b"\xff", b"1"),
    ],
)
def test_an_invalid_stored_field_is_named_and_does_not_affect_the_others(name, value):
    settings, useless = DEFAULTS.changed_by({b"blur": b'"blur"', name: value})
    assert settings.saving
    assert useless == {name.decode(errors="replace")}


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
