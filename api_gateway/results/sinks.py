"""What the gateway's parts receive of every result."""

from dataclasses import dataclass
from typing import Protocol

from contract import events
from postprocessing.track_processor import SmoothedReading


@dataclass(frozen=True, slots=True)
class ProcessedReading:
    """A reading in its place among those of its source, smoothed, and the event made of it."""

    smoothed: SmoothedReading
    event: events.Reading
    live: bool
    """Whether its source is live; else it is a recording, whose times are those in it."""
    seen_ms: int
    """When its face was seen, in Redis's time: its frame's capture; for a recording when the result arrived."""


class ResultSink(Protocol):
    """A part of the gateway that receives results. Called on the event loop for each reading: it must not block."""

    def reading(self, reading: ProcessedReading) -> None:
        """The next reading of a source, after all readings of earlier frames."""

    def episode(self, episode: events.Episode, *, live: bool) -> None:
        """The start, an update or the end of an episode."""

    def gone(self, source: str) -> None:
        """The source does not exist any more; nothing more of it comes."""


class PartialSink:
    """Ignores everything: the base of sinks that need a part of the results."""

    def reading(self, reading: ProcessedReading) -> None:
        return

    def episode(self, episode: events.Episode, *, live: bool) -> None:
        return

    def gone(self, source: str) -> None:
        return
