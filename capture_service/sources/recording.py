"""A video file, GIF too."""

import math

import av
from av.container import InputContainer

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.container import open_file
from capture_service.sources.frame_decoding import FrameReader, GrabbedFrame, best_video
from capture_service.sources.spec import SourceSpec
from capture_service.sources.timeline import Timeline
from contract.errors import SourceError

DEFAULT_FPS = 25.0
"""The pace of a file that states none, or an impossible one."""
MOST_FRAMES = 100_000_000
"""A file that states more frames than this is wrong."""
MOST_FAILURES = 100
"""So many failed attempts in a row to read on end the recording."""


class Recording:
    """The frames of a video, `passes` times or (loop) for ever, numbered and timed as one long recording.

    A damaged frame keeps its number and place in time.
    """

    polled = False

    def __init__(self, spec: SourceSpec, settings: CaptureSettings) -> None:
        self._spec = spec
        self._settings = settings
        self._container: InputContainer | None = None
        self._reader: FrameReader | None = None
        self._grabbed: GrabbedFrame | None = None
        self._timeline = Timeline()
        self._number = 0
        self._in_pass = 0
        self._readable: bool | None = None
        """Whether any frame could be decoded; None until one was tried."""
        self._passes_left = 0
        self._sized = True
        self._own_fps = DEFAULT_FPS
        self._indexed: int | None = None
        self._expected: int | None = None

    @property
    def pace(self) -> float | None:
        return self._spec.fps or self._own_fps

    @property
    def total(self) -> int | None:
        return self._of_all_passes(self._indexed)

    @property
    def expected(self) -> int | None:
        return self._of_all_passes(self._expected)

    def picture(self, _number: int) -> str | None:
        return None

    def open(self) -> None:
        self.close()
        self._timeline = Timeline()
        self._number, self._readable = 0, None
        self._passes_left = self._spec.passes - 1
        self._rewind()

    def read(self) -> Frame | None:
        if not self.skip() or self._grabbed is None:
            return None
        picture = self._grabbed.picture()
        self._readable = self._readable or picture is not None
        note = "" if picture is not None else "the frame is damaged, or refers to a damaged one"
        return Frame(self._number - 1, self._timeline.seconds, picture, note)

    def skip(self) -> bool:
        while (grabbed := self._grab()) is None:
            if not self._next_pass():
                return False
        self._grabbed = grabbed
        self._timeline.move(grabbed.seconds, 1 / self._own_fps)
        self._number, self._in_pass = self._number + 1, self._in_pass + 1
        return True

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = self._reader = self._grabbed = None

    def _grab(self) -> GrabbedFrame | None:
        """The next frame of this pass, None at its end."""
        for _ in range(MOST_FAILURES if self._reader else 0):
            try:
                return self._reader.grab() if self._reader else None
            except av.FFmpegError:  # the file is damaged here; the reader goes on behind the place
                continue
        return None

    def _next_pass(self) -> bool:
        if self._in_pass == 0 or self._readable is False:
            raise SourceError(f"{self._spec.safe} holds no frame {self._limit}that can be read")
        if not (self._spec.loop or self._passes_left):
            return False
        self._passes_left -= 1
        self._rewind()
        return True

    def _rewind(self) -> None:
        # Opening again is exact, seeking is not.
        self.close()
        self._container = open_file(self._spec, self._settings)
        stream = best_video(self._container)
        if stream is None:
            self.close()
            raise SourceError(f"cannot open {self._spec.safe}: it holds no video")
        self._reader = FrameReader(self._container, stream, self._settings.picture_max_megapixels * 1_000_000)
        self._sized = stream.width > 0
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        self._own_fps = rate if math.isfinite(rate) and 0 < rate <= 1000 else DEFAULT_FPS
        self._timeline.begin_pass(self._reader.origin)
        if self._indexed is None:
            self._indexed = _within_reason(self._reader.indexed_frames)
        duration = (self._container.duration or 0) / av.time_base
        self._expected = self._indexed or _within_reason(round(duration * self._own_fps))
        self._in_pass = 0

    @property
    def _limit(self) -> str:
        """FFmpeg reads no size, or one beyond the bound, from a file of which no frame can be read."""
        most = self._settings.picture_max_megapixels
        return "" if self._sized else f"of at most {most} megapixels (EMOTII_PICTURE_MAX_MEGAPIXELS) "

    def _of_all_passes(self, frames: int | None) -> int | None:
        return None if self._spec.loop or frames is None else frames * self._spec.passes


def _within_reason(frames: int | None) -> int | None:
    return frames if frames and 1 <= frames <= MOST_FRAMES else None
