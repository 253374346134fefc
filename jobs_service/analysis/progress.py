"""The progress of an analysis, and the detection of one that has stalled.

This module imports neither OpenCV nor NumPy: an idle jobs service needs it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

STALLED_SECONDS = 10.0
FOR_A_WORKER = "waiting for a worker (emotii infer starts one)"
FOR_REDIS = "waiting for Redis"
FOR_A_FRAME = "reading the next frame of the recording"
SENDING_AGAIN = "sending again what Redis lost"
"""What an analysis that completes no frame waits for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis is."""

    frames: int
    """Frames that are done: all their faces have an outcome or, while `drawing`, they are drawn."""
    total: int | None
    """Frames of the recording; None if the file does not state them."""
    faces: int
    waits_for: str = ""
    """What the next frame waits for, in words; empty while drawing."""
    drawing: bool = False
    """Whether all outcomes are read, and the charts, the video and the report are being drawn."""


ProgressCallback = Callable[[Progress], None]
"""Called several times a second. An exception that it raises ends the analysis."""


class StallDetector:
    """Detects that an analysis completes no more frames."""

    def __init__(self) -> None:
        self._frames = 0
        self._advanced_at = time.monotonic()

    def is_stalled(self, progress: Progress) -> bool:
        """Whether no frame was completed for `STALLED_SECONDS`; then `progress.waits_for` is worth showing."""
        now = time.monotonic()
        if progress.frames != self._frames:
            self._frames, self._advanced_at = progress.frames, now
        return now - self._advanced_at > STALLED_SECONDS
