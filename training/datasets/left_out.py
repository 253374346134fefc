"""What a dataset holds that is not used, and why: nothing is dropped without a word."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from contract.printable import printable

NAMED = 10
"""How many files one line names; it gives the number of the others."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not used."""

    what: str
    """A path, or what faces show."""
    reason: str
    faces: int | None = None
    """How many faces it is; None: one file or folder, whose content is not counted."""

    @classmethod
    def file(cls, path: Path, reason: str, faces: int | None = None) -> Self:
        """A file or folder, by a name that every terminal can print."""
        return cls(printable(path), reason, faces)

    def __str__(self) -> str:
        return self.what if self.faces is None else f"{self.what} ({self.faces:,})"


def summary(left_out: Iterable[LeftOut], named: int = NAMED) -> Iterator[str]:
    """One line for each reason, for example `left out, not a readable picture: Sad/a.png, Sad/b.png`."""
    by_reason: dict[str, list[LeftOut]] = {}
    for one in left_out:
        by_reason.setdefault(one.reason, []).append(one)
    for reason, found in by_reason.items():
        others = f" and {len(found) - named:,} more" if len(found) > named else ""
        yield f"left out, {reason}: {', '.join(map(str, found[:named]))}{others}"
