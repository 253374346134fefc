"""Noticing that an analysis does not move."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it brings OpenCV, which a jobs service that waits for its first job does without
    from jobs_service.analysis.pipeline import Progress

PATIENCE_SECONDS = 10.0
WAITING = "waiting for a worker (emotii infer starts one)"


class StallDetector:
    """Notices that nothing moves any more."""

    def __init__(self) -> None:
        self._frames = 0
        self._moved = time.monotonic()

    def is_over(self, progress: "Progress") -> bool:
        """Whether no frame was done for some seconds."""
        if progress.frames != self._frames:
            self._frames, self._moved = progress.frames, time.monotonic()
        return time.monotonic() - self._moved > PATIENCE_SECONDS
