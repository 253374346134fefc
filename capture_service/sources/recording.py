"""A video file, GIF too."""

import math
from collections import deque

import cv2

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.opencv import open_capture
from capture_service.sources.opencv_frames import retrieve
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError

DEFAULT_FPS = 25.0
"""The pace of a file that states none, or an impossible one."""
MOST_FRAMES = 100_000_000
"""A file that states more frames than this is wrong."""
MOST_DAMAGED, MOST_DAMAGED_STATED = 100, 10_000
"""How many frames in a row may be damaged where the file states no more frames, and where it does. FFmpeg returns the
same for a damaged frame as at the end; behind the end a request costs about a microsecond."""


class Recording:
    """The frames of a video, `passes` times or (loop) for ever, numbered and timed as one long recording.

    A damaged frame keeps its number and place in time, if a later one can be read.
    """

    polled = False

    def __init__(self, spec: SourceSpec, settings: CaptureSettings) -> None:
        self._spec = spec
        self._settings = settings
        self._capture: cv2.VideoCapture | None = None
        self._number = 0
        self._ahead: deque[float] = deque()
        """Times of the frames up to the grabbed one; the frames before it are damaged."""
        self._decodable: bool | None = None
        """Whether any frame could be decoded; None until one was tried."""
        self._passes_left = 0
        self._stated = 0
        self._in_pass = 0
        self._own_fps = DEFAULT_FPS
        self._seconds = 0.0
        self._pass_began = 0.0

    @property
    def pace(self) -> float | None:
        return self._spec.fps or self._own_fps

    @property
    def total(self) -> int | None:
        """Frames of all passes, by the file's own count; None if it states none, or if it loops."""
        return None if self._spec.loop or not self._stated else self._stated * self._spec.passes

    def picture(self, _number: int) -> str | None:
        return None

    def open(self) -> None:
        self.close()
        self._number, self._seconds, self._pass_began = 0, 0.0, 0.0
        self._passes_left = self._spec.passes - 1
        self._decodable = None
        self._rewind()

    def read(self) -> Frame | None:
        if not self.skip() or self._capture is None:
            return None
        if self._ahead:
            return Frame(self._number - 1, self._seconds, None, "the file is damaged here")
        picture = retrieve(self._capture)
        self._decodable = self._decodable or picture is not None
        if picture is None:
            return Frame(self._number - 1, self._seconds, None, "the frame could not be decoded")
        return Frame(self._number - 1, self._seconds, picture)

    def skip(self) -> bool:
        if not self._ahead and not self._grab():
            return False
        self._seconds = self._ahead.popleft()
        self._number += 1
        return True

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _grab(self) -> bool:
        """Grab the next readable frame, maybe of the next pass, and add it to `_ahead`; False at the end."""
        if self._capture is None:
            return False
        damaged = 0
        while not self._capture.grab():
            damaged += 1
            if damaged > min(max(self._stated - self._in_pass, MOST_DAMAGED), MOST_DAMAGED_STATED):
                return self._next_pass()
        self._in_pass += damaged + 1
        before = max(self._seconds, self._pass_began)
        step = (max(before, self._pass_began + self._time_in_pass()) - before) / (damaged + 1)
        self._ahead.extend(before + step * (number + 1) for number in range(damaged + 1))
        return True

    def _next_pass(self) -> bool:
        if self._in_pass == 0 or self._decodable is False:
            raise SourceError(f"{self._spec.safe} holds no frame that can be read")
        if not (self._spec.loop or self._passes_left):
            return False
        self._passes_left -= 1
        self._pass_began = self._seconds + 1 / self._own_fps
        self._rewind()
        return self._grab()

    def _time_in_pass(self) -> float:
        """The time of the frame that was grabbed last, in seconds."""
        milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) if self._capture else 0.0
        if math.isfinite(milliseconds) and milliseconds > 0:
            return milliseconds / 1000
        return (self._in_pass - 1) / self._own_fps  # the first frame, or the file states no times

    def _rewind(self) -> None:
        # Opening again is exact, seeking is not.
        self.close()
        self._capture = open_capture(self._spec, self._settings)
        self._ahead.clear()
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._own_fps = fps if math.isfinite(fps) and 0 < fps <= 1000 else DEFAULT_FPS
        stated = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._stated = int(stated) if math.isfinite(stated) and 1 <= stated <= MOST_FRAMES else 0
        self._in_pass = 0
