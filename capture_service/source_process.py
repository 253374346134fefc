"""The process of one source, as its parent sees it: started, watched, started again, ended."""

import multiprocessing
import time
from multiprocessing.process import BaseProcess

import structlog

from capture_service.address import SourceSpec
from capture_service.child import capture
from capture_service.pulse import Pulse
from capture_service.settings import CaptureSettings
from contract.broker import Backoff

logger = structlog.get_logger(__name__)

START_SECONDS = 60.0
"""How much longer than other turns the first one of a child may take: it loads OpenCV and a network before."""
STEADY_SECONDS = 30.0
"""A child that lived this long is started again without the pauses of earlier failures."""


class SourceProcess:
    """Captures `spec`, the source at place `order`, in a process of its own.

    Args:
        longest_turn: seconds that a turn of it may take; then it counts as hung.
    """

    def __init__(self, spec: SourceSpec, order: int, settings: CaptureSettings, longest_turn: float) -> None:
        self.spec = spec
        self.order = order
        self.pulse = Pulse(longest_turn)
        self._arguments = (spec, order, settings, self.pulse)
        self._process: BaseProcess | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=10.0)

    def look(self, patience: float) -> None:
        """Start it if it is time to; end it if it has not turned for so many seconds more than it may."""
        now = time.monotonic()
        if self._process is not None and self._process.is_alive() and not self.pulse.alive(patience):
            logger.warning("capture hangs, killed", source=self.spec.name)
            self._kill(self._process)
        if self._process is not None and not self._process.is_alive():
            self._bury(self._process, now)
        if self._process is None:
            self.pulse.beat(START_SECONDS)
            if now >= self._next_start:
                self._start(now)

    def terminate(self) -> None:
        """Ask it to end in order."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, and kill it then if it has not."""
        if self._process is None:
            return
        self._process.join(seconds)
        if self._process.is_alive():
            logger.warning("capture does not end, killed", source=self.spec.name)
            self._kill(self._process)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def _start(self, now: float) -> None:
        # Spawned, not forked: a fork would copy OpenCV's and gRPC's locks as they happen to be.
        self._process = multiprocessing.get_context("spawn").Process(
            target=capture, args=self._arguments, name=f"capture-{self.spec.name}"
        )
        self._process.start()
        self._started = now

    def _bury(self, process: BaseProcess, now: float) -> None:
        if now - self._started > STEADY_SECONDS:
            self._backoff.reset()
        pause = self._backoff.next()
        exit_code = process.exitcode
        logger.warning(
            "capture ended, starts again", source=self.spec.name, exit_code=exit_code, seconds=round(pause, 1)
        )
        process.close()
        self._process, self._next_start = None, now + pause

    def _kill(self, process: BaseProcess) -> None:
        process.kill()
        process.join()
