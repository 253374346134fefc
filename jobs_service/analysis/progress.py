"""The progress of an analysis, and the detection of one that has stalled.

This module imports neither OpenCV nor NumPy: an idle jobs service needs it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

STALLED_SECONDS = 10.0
WAITING = "waiting for a worker (emotii infer starts one)"
READING = "reading the recording"
SENDING_AGAIN = "sending again what Redis has lost"
NO_REDIS = "waiting for Redis"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis is."""

    frames: int
    """Frames that are done: all their faces have an outcome or, while `drawing`, they are drawn."""
    total: int | None
    """Frames of the recording; None if the file does not state them."""
    faces: int
    drawing: bool = False
    """Whether all outcomes are read, and the charts, the video and the report are being drawn."""
    step: str = WAITING
    """What takes the time if no frame is completed for long."""


ProgressCallback = Callable[[Progress], None]
"""Called several times a second. An exception that it raises ends the analysis."""


def current_step(*, outage: bool, again: bool, unclassified: int) -> str:
    """What takes the time now, if anything does.

    Args:
        outage: whether Redis is unavailable.
        again: whether entries are being sent again.
        unclassified: frames that were sent and have not all their outcomes.
    """
    if outage:
        return NO_REDIS
    if again:
        return SENDING_AGAIN
    return WAITING if unclassified > 0 else READING


class StallDetector:
    """Detects that an analysis completes no more frames."""

    def __init__(self) -> None:
        self._frames = 0
        self._advanced_at = time.monotonic()

    def reason(self, progress: Progress) -> str:
        """What takes the time if no frame was completed for `STALLED_SECONDS`; empty if one was."""
        now = time.monotonic()
        if progress.frames != self._frames:
            self._frames, self._advanced_at = progress.frames, now
        return progress.step if now - self._advanced_at > STALLED_SECONDS else ""
