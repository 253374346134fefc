"""A live feed: a thread that reads a source and keeps only its newest frame."""

import time
from dataclasses import replace
from threading import Condition, Thread
from typing import Protocol

import cv2

from capture_service.frame import Frame
from capture_service.sources import Source
from contract.errors import SourceError, reason_of

POLLED_FPS = 2.0
"""How often a second a camera that answers with single pictures is asked, if its `fps` is not configured."""


class LiveFeed(Protocol):
    """The newest frames of a live source. It is started once; to open the source again, a new feed is made."""

    broken: str | None
    """Why no more frames come, if the source broke."""
    ended: bool
    """Whether a recording came to its end."""

    def start(self) -> None:
        """Open the source."""

    def newest(self, seconds: float) -> Frame | None:
        """The newest frame, each at most once; waits up to `seconds` for one. Its time is `time.monotonic()`."""

    def drain_skipped(self) -> int:
        """The number of frames that were skipped since the last call."""

    def stop(self) -> None:
        """Close the source."""


class Feed:
    """Opens and reads a source on a thread of its own, so that a slow detector and a silent camera do not block it.

    A recording plays at its own pace. `most_fps` bounds the frames a second of a camera; one that answers requests for
    single pictures is asked so often.
    """

    def __init__(self, source: Source, most_fps: float | None = None) -> None:
        self.broken: str | None = None
        self.ended = False
        self._source = source
        self._most_fps = most_fps
        self._changed = Condition()
        self._newest: Frame | None = None
        self._skipped = 0
        self._stopped = False
        self._thread = Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def newest(self, seconds: float) -> Frame | None:
        """The newest frame, each at most once; waits up to `seconds` for one. Its time is `time.monotonic()`."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self.ended or self.broken, seconds)
            frame, self._newest = self._newest, None
            return frame

    def drain_skipped(self) -> int:
        """The number of frames that were skipped since the last call."""
        with self._changed:
            skipped, self._skipped = self._skipped, 0
            return skipped

    def stop(self, timeout: float = 1.0) -> None:
        """End the thread, which closes the source; a thread that hangs in a read ends by the time-out of the read."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._source.open()
            if self._source.pace is not None:
                self._play(1 / self._source.pace)
            elif self._source.polled:
                self._poll(1 / (self._most_fps or POLLED_FPS))
            else:
                self._read_camera()
            with self._changed:
                self.ended = not self._stopped
                self._changed.notify_all()
        except (SourceError, cv2.error) as error:
            with self._changed:
                self.broken = error.err if isinstance(error, cv2.error) else reason_of(error)
                self._changed.notify_all()
        finally:
            self._source.close()

    def _read_camera(self) -> None:
        """Read the frames of a camera as they come; one that comes too early is skipped.

        When the next frame will come is estimated from the last two. So a camera that is hardly faster than the bound
        does not lose every other frame.
        """
        interval = 1 / self._most_fps if self._most_fps else 0.0
        due = came = time.monotonic()
        spacing = 0.0
        while not self._stopped:
            if came + spacing < due:
                if not self._source.skip():
                    return
                self._count_skipped()
            else:
                # After a late frame at most one frame comes early.
                due = max(due, time.monotonic() - interval) + interval
                if (frame := self._source.read()) is None:
                    return
                self._offer(frame)
            now = time.monotonic()
            came, spacing = now, now - came

    def _poll(self, interval: float) -> None:
        """Request pictures at this interval; what a slow camera cannot send in time is not requested."""
        due = time.monotonic()
        while not self._wait_until(due):
            due = max(due + interval, time.monotonic())
            if (frame := self._source.read()) is None:
                return
            self._offer(frame)

    def _play(self, interval: float) -> None:
        """Play a recording at its pace; a frame that is late by more than an interval is skipped undecoded."""
        due = time.monotonic()
        while not self._stopped:
            late = time.monotonic() - due
            if late < 0:
                self._wait_until(due)
                continue
            due += interval
            if late > interval:
                if not self._source.skip():
                    return
                self._count_skipped()
                continue
            if (frame := self._source.read()) is None:
                return
            self._offer(replace(frame, seconds=time.monotonic()))

    def _wait_until(self, due: float) -> bool:
        """Wait until this time or the end; whether it is the end."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped, max(0.0, due - time.monotonic()))

    def _offer(self, frame: Frame) -> None:
        with self._changed:
            self._skipped += self._newest is not None
            self._newest = frame
            self._changed.notify_all()

    def _count_skipped(self) -> None:
        with self._changed:
            self._skipped += 1
