"""The annotated video: box, emotion and confidence on every face, as VP8 in WebM, which browsers play.

PyAV's wheels have an H.264 encoder, too, but not every free browser plays it. With `realtime` the VP8 encoder takes a
quarter of the time for the same quality and size (5.7 ms per frame of 640x480 on one core instead of 21.7, 41.4 dB).
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from capture_service.frame import Frame, Picture
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.errors import SettingsError, reason_of
from contract.judgement import UNCERTAIN
from contract.printable import printable
from jobs_service.outputs.jsonl import Line
from jobs_service.reports.frames import FrameCallback, open_recording
from rendering.overlay import BoxLabel, draw, placeholder

WIDEST = 1280
"""Larger frames are scaled down to this width: labels are legible there, and encoding larger frames is slow."""
SMALLEST = 480
"""Smaller frames are scaled up to this size, so that labels fit."""
FASTEST, SLOWEST = 60.0, 1.0
"""Frame rates of the video. Outside this range, frames are dropped or repeated to keep the speed."""
UNEVEN = 1.25
"""If the stated frame rate is so many times the mean one, frames come unevenly, and some are shown for longer."""
CODEC, OPTIONS = "libvpx", {"deadline": "realtime", "cpu-used": "-4"}
"""With a positive number, libvpx chooses its speed by the clock, and the same recording gives other bytes."""
BITS_PER_PIXEL = 4
KEY_FRAMES = 12
"""One frame in so many can be shown without the ones before."""


def draw_video(
    path: Path,
    spec: SourceSpec,
    settings: CaptureSettings,
    lines: Iterable[Line],
    mean_fps: float,
    on_frame: FrameCallback,
) -> None:
    """Write the video at the speed of the recording.

    Args:
        path: of the video; the format is WebM whatever its suffix.
        spec: the recording.
        settings: of the capture, with the bounds for reading.
        lines: the readings, in the order of their frames.
        mean_fps: mean frame rate of the recording, by the times of its frames.
        on_frame: called after every frame.

    Raises:
        SourceError: the recording cannot be read any more.
        SettingsError: the video cannot be written.
    """
    labels = _Labels(lines)
    with closing(open_recording(spec, settings)) as recording:
        fps = _frame_rate(recording.pace, mean_fps)
        writer: _Writer | None = None
        try:
            while (frame := recording.read()) is not None:
                faces = labels.of(frame.number)
                if frame.picture is not None and writer is None:
                    writer = _Writer(path, fps, frame.picture)
                if writer is not None:
                    writer.show(frame, faces)
                on_frame(frame.number + 1)
        finally:
            if writer is not None:
                writer.close()
    if writer is None:
        raise SettingsError(f"cannot write {path.name}: no frame of the recording can be read")


def _frame_rate(stated: float | None, mean: float) -> float:
    """The frame rate of the video: the mean one, unless frames come so unevenly that some would be dropped."""
    uneven = stated is not None and stated > UNEVEN * mean
    return min(max(stated if stated and uneven else mean, SLOWEST), FASTEST)


class _Labels:
    """The labels of each frame, from lines in the order of the frames."""

    def __init__(self, lines: Iterable[Line]) -> None:
        readings = (line for line in lines if line["kind"] == "reading")
        self._groups: Iterator[tuple[int, Iterable[Line]]] = iter(groupby(readings, lambda line: line["frame"]))
        self._next = next(self._groups, None)

    def of(self, frame: int) -> list[BoxLabel]:
        while self._next is not None and self._next[0] < frame:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] > frame:
            return []
        found = [_label(line) for line in self._next[1]]
        self._next = next(self._groups, None)
        return found


def _label(line: Line) -> BoxLabel:
    certain = line["emotion"] != UNCERTAIN
    words = line["emotion"] if certain else " or ".join(line["between"])
    return BoxLabel(tuple(line["box"]), words, line["confidence"], certain=certain)


class _Writer:
    """The video at a constant frame rate; each frame is the latest of the recording at its time."""

    def __init__(self, path: Path, fps: float, first: Picture) -> None:
        height, width = first.shape[:2]
        scale = min(max(1.0, SMALLEST / min(width, height)), WIDEST / max(width, height))
        self._size = _even(width * scale), _even(height * scale)
        self._path, self._fps = path, fps
        self._written = 0
        """Frames that were written."""
        self._waiting: Picture | None = None
        self._start: float | None = None
        with self._reporting():
            self._file = path.open("wb")  # FFmpeg gets the open file: the name may have any bytes
            self._output = av.open(self._file, "w", format="webm", options={"fflags": "+bitexact"})
            rate = Fraction(fps).limit_denominator(1000)
            self._stream = cast("VideoStream", self._output.add_stream(CODEC, rate=rate, options=OPTIONS))
            self._stream.width, self._stream.height = self._size
            self._stream.pix_fmt, self._stream.gop_size = "yuv420p", KEY_FRAMES
            self._stream.bit_rate = round(BITS_PER_PIXEL * fps * self._size[0] * self._size[1])

    def show(self, frame: Frame, faces: list[BoxLabel]) -> None:
        """Show the frame from its time on; a frame that could not be read is shown as a placeholder."""
        if self._start is None:
            self._start = frame.seconds
        self._fill(round((frame.seconds - self._start) * self._fps))
        if frame.picture is None:
            notice = placeholder("this frame could not be read", frame.note, *self._size)
            self._waiting = np.asarray(cv2.resize(notice, self._size), np.uint8)
        else:
            self._waiting = self._drawn(frame.picture, faces)

    def close(self) -> None:
        """Write the last frame and finish the file."""
        try:
            self._fill(self._written + 1)
            with self._reporting():
                self._output.mux(self._stream.encode())
        finally:
            with self._reporting(), closing(self._file):
                self._output.close()

    def _fill(self, until: int) -> None:
        if self._waiting is None:
            return
        with self._reporting():
            while self._written < until:
                self._output.mux(self._stream.encode(av.VideoFrame.from_ndarray(self._waiting, format="bgr24")))
                self._written += 1

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.FFmpegError) as error:
            raise SettingsError(f"cannot write {printable(self._path.name)}: {reason_of(error)}") from error

    def _drawn(self, picture: Picture, faces: list[BoxLabel]) -> Picture:
        width, height = self._size
        across, down = width / picture.shape[1], height / picture.shape[0]
        interpolation = cv2.INTER_AREA if across < 1 else cv2.INTER_CUBIC
        scaled = np.asarray(cv2.resize(picture, self._size, interpolation=interpolation), np.uint8)
        draw(scaled, [_scaled(label, across, down) for label in faces])
        return scaled


def _scaled(label: BoxLabel, across: float, down: float) -> BoxLabel:
    left, top, width, height = label.box
    box = left * across, top * down, width * across, height * down
    return BoxLabel(box, label.words, label.confidence, certain=label.certain)


def _even(pixels: float) -> int:
    """VP8 stores colours at half the resolution, so sizes must be even."""
    return max(2, round(pixels / 2) * 2)
