"""Requested erasures, and the reports of the gateways."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.messages.fields import LATEST_MS
from contract.messages.values import MOST, Count, RecordId, SourceName

Moment = Annotated[int, Field(ge=0, le=LATEST_MS - 1)]


class ErasureScope(BaseModel):
    """All data of a source from one time to another, both in ms of Redis's time and both included."""

    model_config = ConfigDict(frozen=True)

    source: SourceName | None = None
    """None: of every source, and of uploaded recordings, too."""
    from_ms: Moment = 0
    to_ms: Moment

    def covers(self, source: str, at_ms: int) -> bool:
        """Whether the data of this source at that time is to be erased."""
        return self.overlaps(source, at_ms, at_ms)

    def overlaps(self, source: str, from_ms: int, to_ms: int) -> bool:
        """Whether a part of the data of this source in that time span is to be erased."""
        return self.source in {None, source} and self.from_ms <= to_ms and from_ms <= self.to_ms


class Erasure(ErasureScope):
    """A requested erasure, stored in `keys.ERASURES`, so that it is completed after any crash."""

    v: Literal[1] = 1
    id: RecordId
    asked_ms: Moment


class Erased(BaseModel):
    """Numbers of erased things."""

    model_config = ConfigDict(frozen=True)

    jobs: Count = 0
    """Uploaded recordings, with their results."""
    entries: Count = 0
    """Entries of the streams in Redis: crops, results, dead entries and uploaded pictures."""
    faces: Count = 0
    """Saved faces."""
    records: Count = 0
    """Readings and episodes of the history."""

    def plus(self, other: "Erased") -> "Erased":
        """The sums of both."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Erased(**{name: min(mine[name] + theirs[name], MOST) for name in mine})


class Report(BaseModel):
    """What one gateway erased for an erasure, stored in `keys.ERASED`."""

    model_config = ConfigDict(frozen=True)

    v: Literal[1] = 1
    done: bool
    erased: Erased = Erased()
    trouble: str = ""
    """Why it is not done yet."""
