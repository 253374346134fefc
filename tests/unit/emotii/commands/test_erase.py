"""What `emotii erase` is told to erase."""

from datetime import UTC, datetime

import pytest

from contract.errors import SettingsError, SourceError
from emotii.commands.erase import Asked, asked

NOON, ONE = datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 1, 31, 13, tzinfo=UTC)
NOON_MS = 1_769_860_800_000


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"everything": True}, Asked(None, 0, None)),
        ({"source": "door"}, Asked("door", 0, None)),
        ({"start": NOON}, Asked(None, NOON_MS, None)),
        ({"end": ONE}, Asked(None, 0, NOON_MS + 3_600_000)),
        ({"source": "door", "start": NOON, "end": ONE}, Asked("door", NOON_MS, NOON_MS + 3_600_000)),
    ],
)
def test_what_is_said_is_what_is_erased(said: dict[str, object], meant: Asked):
    assert asked(**{"everything": False, "source": None, "start": None, "end": None} | said) == meant


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "say what to erase"),
        ({"everything": True, "source": "door"}, "say what to erase"),
        ({"start": ONE, "end": NOON}, "--from is after --to"),
        ({"source": "../door"}, "cannot name a source"),
    ],
)
def test_what_is_no_clear_word_erases_nothing(said: dict[str, object], words: str):
    with pytest.raises((SettingsError, SourceError), match=words):
        asked(**{"everything": False, "source": None, "start": None, "end": None} | said)
