"""What people want to be gone, and what was done for it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.messages.fields import LATEST_MS

Moment = Annotated[int, Field(ge=0, le=LATEST_MS - 1)]


class ErasureScope(BaseModel):
    """Everything that a source saw from one moment to another, both in ms of Redis's time and both included."""

    model_config = ConfigDict(frozen=True)

    source: str | None = None
    """None: of every source, and recordings that were handed in, too."""
    from_ms: Moment = 0
    to_ms: Moment

    def covers(self, source: str, at_ms: int) -> bool:
        """Whether what this source saw at that moment is to be erased."""
        return self.overlaps(source, at_ms, at_ms)

    def overlaps(self, source: str, from_ms: int, to_ms: int) -> bool:
        """Whether a part of what this source saw from one moment to another is to be erased."""
        return self.source in {None, source} and self.from_ms <= to_ms and from_ms <= self.to_ms


class Erasure(ErasureScope):
    """A span that somebody asked to be erased; kept in `keys.ERASURES`, so that it is taken up after every fall."""

    v: Literal[1] = 1
    id: str
    asked_ms: int


class Erased(BaseModel):
    """What is gone, in numbers."""

    model_config = ConfigDict(frozen=True)

    jobs: int = 0
    """Recordings that were handed in, with all that came of them."""
    entries: int = 0
    """Of the streams in Redis: crops, results, dead entries and pictures that were handed in."""
    faces: int = 0
    """Saved faces."""
    records: int = 0
    """Readings and episodes of the history."""

    def plus(self, other: "Erased") -> "Erased":
        """Both together."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Erased(**{name: mine[name] + theirs[name] for name in mine})


class Report(BaseModel):
    """What one gateway did for an erasure, kept in `keys.ERASED`."""

    model_config = ConfigDict(frozen=True)

    v: Literal[1] = 1
    done: bool
    erased: Erased = Erased()
    trouble: str = ""
    """What it waits for if it is not done."""
