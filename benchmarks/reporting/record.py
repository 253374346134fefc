"""The answers as a JSON file, in which a question that is asked again takes the place of its older answer."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.measuring.machine import Machine
from benchmarks.measuring.measure import Size
from benchmarks.reporting.answer import Answer


@dataclass(frozen=True)
class Entry:
    """An answer, and where it was found."""

    answer: Answer
    machine: Machine
    size: Size


Record = dict[str, Entry]
_JSON = TypeAdapter(Record)


def load(file: Path) -> Record:
    """What the file holds, by question; nothing where there is none.

    Raises:
        ValidationError: the file is none of ours.
    """
    return _JSON.validate_json(file.read_bytes()) if file.exists() else {}


def save(record: Record, file: Path) -> None:
    """Write it whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_JSON.dump_json(record, indent=1) + b"\n")
