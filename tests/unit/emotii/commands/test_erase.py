"""Which data `emotii erase` erases."""

from datetime import UTC, datetime

import pytest

from contract.errors import SettingsError, SourceError
from emotii.commands.erase import ErasureRequest

NOON, ONE = datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 1, 31, 13, tzinfo=UTC)
NOON_MS = 1_769_860_800_000
NO_OPTIONS = {"everything": False, "source": None, "start": None, "end": None}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"everything": True}, ErasureRequest(None, 0, None)),
        ({"source": "door"}, ErasureRequest("door", 0, None)),
        ({"start": NOON}, ErasureRequest(None, NOON_MS, None)),
        ({"end": ONE}, ErasureRequest(None, 0, NOON_MS + 3_600_000)),
        ({"source": "door", "start": NOON, "end": ONE}, ErasureRequest("door", NOON_MS, NOON_MS + 3_600_000)),
    ],
)
def test_the_options_select_the_data_to_erase(options: dict[str, object], expected: ErasureRequest):
    assert ErasureRequest.parse(**NO_OPTIONS | options) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "choose what to erase"),
        ({"everything": True, "source": "door"}, "choose what to erase"),
        ({"start": ONE, "end": NOON}, "--from is after --to"),
        ({"source": "../door"}, "cannot name a source"),
    ],
)
def test_missing_or_contradictory_options_are_rejected(options: dict[str, object], words: str):
    with pytest.raises((SettingsError, SourceError), match=words):
        ErasureRequest.parse(**NO_OPTIONS | options)
