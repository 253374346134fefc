"""The parent of the capturing processes: one child a source, so that one bad camera cannot slow or end another."""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from threading import Event

import structlog

from capture_service.address import SourceSpec
from capture_service.child import capture
from capture_service.pulse import Pulse
from capture_service.settings import CaptureSettings
from contract.broker import Backoff
from contract.keys import UPLOADS

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 3.5
"""For all children to end in order; afterwards they are killed."""
STEADY_SECONDS = 30.0
"""A child that lived this long is started again without the pauses of earlier failures."""


class Children:
    """Starts a child for every source, and again when it died."""

    def __init__(self, specs: Sequence[SourceSpec], settings: CaptureSettings) -> None:
        uploads = SourceSpec(UPLOADS, "inbox", "")
        self.pulse = Pulse()
        self._children = [_Child(spec, order, settings) for order, spec in enumerate([*specs, uploads])]

    def run(self, stop: Event) -> None:
        """Keep all of them running until `stop` is set, then end them in order."""
        try:
            while not stop.is_set():
                self.pulse.beat()
                for child in self._children:
                    child.look()
                stop.wait(LOOK_SECONDS)
        finally:
            self._end()

    def _end(self) -> None:
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for child in self._children:
            child.wait(max(0.0, deadline - time.monotonic()))


class _Child:
    """The process of one source."""

    def __init__(self, spec: SourceSpec, order: int, settings: CaptureSettings) -> None:
        self._arguments = (spec, order, settings)
        self._name = spec.name
        self._process: BaseProcess | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=10.0)

    def look(self) -> None:
        """Start it if it is time to."""
        now = time.monotonic()
        if self._process is not None and not self._process.is_alive():
            if now - self._started > STEADY_SECONDS:
                self._backoff.reset()
            pause = self._backoff.next()
            exit_code = self._process.exitcode
            logger.warning(
                "capture ended, starts again", source=self._name, exit_code=exit_code, seconds=round(pause, 1)
            )
            self._process.close()
            self._process, self._next_start = None, now + pause
        if self._process is None and now >= self._next_start:
            # Spawned, not forked: a fork would copy OpenCV's and gRPC's locks as they happen to be.
            self._process = multiprocessing.get_context("spawn").Process(
                target=capture, args=self._arguments, name=f"capture-{self._name}"
            )
            self._process.start()
            self._started = now

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        if self._process is None:
            return
        self._process.join(seconds)
        if self._process.is_alive():
            logger.warning("capture does not end, killed", source=self._name)
            self._process.kill()
            self._process.join()
