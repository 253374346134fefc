"""A live feed: a thread that reads a source and keeps only its newest frame."""

import time
from dataclasses import replace
from threading import Condition, Thread
from typing import Protocol

import cv2

from capture_service.frame import Frame
from capture_service.sources import Source
from contract.errors import SourceError


class LiveFeed(Protocol):
    """What gives the newest frames of a live source. Started once; another one is made to open the source again."""

    broken: str | None
    """Why it gives nothing more, if so."""
    ended: bool
    """Whether a recording came to its end."""

    def start(self) -> None: ...

    def take(self, seconds: float) -> Frame | None:
        """The newest frame that nobody has taken; waits up to `seconds` for one. Its time is `time.monotonic()`."""

    def take_skipped(self) -> int:
        """Frames that were passed over since the last call."""

    def stop(self) -> None: ...


class Feed:
    """Opens and reads a source on a thread of its own, so that neither a slow detector nor a silent camera holds it up.

    A recording is shown at its own pace. `most_fps` bounds what a camera gives.
    """

    def __init__(self, source: Source, most_fps: float | None = None) -> None:
        self.broken: str | None = None
        """Why it gives nothing more, if so."""
        self.ended = False
        """Whether a recording came to its end."""
        self._source = source
        self._most_fps = most_fps
        self._changed = Condition()
        self._newest: Frame | None = None
        self._skipped = 0
        self._stopped = False
        self._thread = Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, seconds: float) -> Frame | None:
        """The newest frame that nobody has taken; waits up to `seconds` for one. Its time is `time.monotonic()`."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self.ended or self.broken, seconds)
            frame, self._newest = self._newest, None
            return frame

    def take_skipped(self) -> int:
        """Frames that were passed over since the last call."""
        with self._changed:
            skipped, self._skipped = self._skipped, 0
            return skipped

    def stop(self, patience: float = 1.0) -> None:
        """End the thread, which closes the source; one that hangs in a read is left to its time-out."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(patience)

    def _run(self) -> None:
        try:
            self._source.open()
            if self._source.pace is None:
                self._follow()
            else:
                self._show(1 / self._source.pace)
            with self._changed:
                self.ended = not self._stopped
                self._changed.notify_all()
        except (SourceError, cv2.error) as error:
            with self._changed:
                self.broken = error.err if isinstance(error, cv2.error) else str(error)
                self._changed.notify_all()
        finally:
            self._source.close()

    def _follow(self) -> None:
        """Take what a camera gives, when it gives it."""
        interval = 1 / self._most_fps if self._most_fps else 0.0
        due = time.monotonic()
        while not self._stopped:
            early = due - time.monotonic()
            if early > 0:
                if not self._source.skip():
                    return
                self._count_skipped()
                continue
            # What came late is not made up for by more than one frame.
            due = max(due, time.monotonic() - interval) + interval
            if (frame := self._source.read()) is None:
                return
            self._offer(frame)

    def _show(self, interval: float) -> None:
        """Show a recording at its pace; what is late by more than a frame is passed over undecoded."""
        due = time.monotonic()
        while not self._stopped:
            late = time.monotonic() - due
            if late < 0:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, -late)
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

    def _offer(self, frame: Frame) -> None:
        with self._changed:
            self._skipped += self._newest is not None
            self._newest = frame
            self._changed.notify_all()

    def _count_skipped(self) -> None:
        with self._changed:
            self._skipped += 1
