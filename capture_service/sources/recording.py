"""A video file, GIF too."""

import math

import cv2
import numpy as np

from capture_service.address import SourceSpec
from capture_service.frame import Frame
from capture_service.opencv import open_capture
from capture_service.settings import CaptureSettings
from contract.errors import SourceError

DEFAULT_FPS = 25.0
"""The pace of a file that states none, or a senseless one."""


class Recording:
    """The frames of a video, `passes` times or (loop) for ever, numbered and timed as one long recording."""

    def __init__(self, spec: SourceSpec, settings: CaptureSettings) -> None:
        self._spec = spec
        self._settings = settings
        self._capture: cv2.VideoCapture | None = None
        self._number = 0
        self._passes_left = 0
        self._in_pass = 0
        self._own_fps = DEFAULT_FPS
        self._seconds = 0.0
        self._pass_began = 0.0

    @property
    def pace(self) -> float | None:
        return self._spec.fps or self._own_fps

    @property
    def total(self) -> int | None:
        """Frames of all passes, as far as the file says; None if it does not, or if it loops."""
        if self._capture is None or self._spec.loop:
            return None
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) * self._spec.passes if math.isfinite(count) and count >= 1 else None

    def open(self) -> None:
        self.close()
        self._number, self._seconds, self._pass_began = 0, 0.0, 0.0
        self._passes_left = self._spec.passes - 1
        self._rewind()

    def read(self) -> Frame | None:
        if not self._grab() or self._capture is None:
            return None
        decoded, picture = self._capture.retrieve()
        if not decoded or picture is None:
            return Frame(self._number - 1, self._seconds, None, "the frame could not be decoded")
        return Frame(self._number - 1, self._seconds, np.asarray(picture, np.uint8))

    def skip(self) -> bool:
        return self._grab()

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _grab(self) -> bool:
        if self._capture is None:
            return False
        if not self._capture.grab():
            if self._in_pass == 0:
                raise SourceError(f"{self._spec.safe} holds no frame that can be read")
            if not (self._spec.loop or self._passes_left):
                return False
            self._passes_left -= 1
            self._pass_began = self._seconds + 1 / self._own_fps
            self._rewind()
            return self._grab()
        milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        in_pass = milliseconds / 1000 if math.isfinite(milliseconds) and milliseconds >= 0 else -1.0
        if in_pass <= 0 and self._in_pass > 0:  # the file states no times
            in_pass = self._in_pass / self._own_fps
        self._seconds = max(self._seconds, self._pass_began + max(0.0, in_pass))
        self._in_pass += 1
        self._number += 1
        return True

    def _rewind(self) -> None:
        # Opening again is exact where seeking is not.
        self.close()
        self._capture = open_capture(self._spec, self._settings)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._own_fps = fps if math.isfinite(fps) and 0 < fps <= 1000 else DEFAULT_FPS
        self._in_pass = 0
