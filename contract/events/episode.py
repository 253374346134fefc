"""The span in which one track shows one emotion."""

from typing import Literal

from contract.events.event import Event
from contract.messages import Box, Quality

Phase = Literal["start", "update", "end"]


class Peak(Event):
    """The reading of the highest confidence."""

    confidence: float
    frame: int
    captured_ms: int


class BestFace(Event):
    """The face of the best quality, for cutting it out of its frame."""

    frame: int
    captured_ms: int
    box: Box
    quality: Quality


class Episode(Event):
    """One track shows one emotion. Times are those of frames; an uncertain span is a gap between episodes."""

    kind: Literal["episode"] = "episode"
    phase: Phase
    """`update` at most twice a second, with the figures so far."""
    id: str
    """`source-epoch-track-frame` of its first reading: the same in every gateway."""
    source: str
    epoch: str
    track: int
    emotion: str
    """A label of the model."""
    start_ms: int
    end_ms: int
    """The time of its last reading so far."""
    duration_ms: int
    peak: Peak
    mean_confidence: float
    """In percent."""
    readings: int
    best_face: BestFace
    model: str
    """`name@version`."""
