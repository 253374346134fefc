"""The answers as a JSON file; a new answer replaces the older one of its question."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.measuring.machine import Machine
from benchmarks.measuring.measure import Size
from benchmarks.reporting.answer import Answer


@dataclass(frozen=True)
class Entry:
    """An answer, and the machine on which it was measured."""

    answer: Answer
    machine: Machine
    size: Size


Record = dict[str, Entry]
_JSON = TypeAdapter(Record)


def load(file: Path) -> Record:
    """The entries of the file, by question; empty if there is no file.

    Raises:
        ValidationError: the file is none of ours.
    """
    return _JSON.validate_json(file.read_bytes()) if file.exists() else {}


def save(record: Record, file: Path) -> None:
    """Write the whole record."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_JSON.dump_json(record, indent=1) + b"\n")
