"""The process of one source, as its parent sees it: started, watched, started again, ended."""

import pickle
import subprocess
import sys
import time

import structlog

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from capture_service.watchdog import Watchdog
from contract.redis.broker import Backoff

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
        self.pulse = Watchdog(longest_turn)
        self._told = pickle.dumps((spec, order, settings, longest_turn))
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=10.0)

    def look(self, patience: float) -> None:
        """Start it if it is time to; end it if it has not turned for so many seconds more than it may."""
        now = time.monotonic()
        if self._process is not None and self.alive and not self.pulse.alive(patience):
            logger.warning("capture hangs, killed", source=self.spec.name)
            self._kill(self._process)
        if self._process is not None and not self.alive:
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
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            logger.warning("capture does not end, killed", source=self.spec.name)
            self._kill(self._process)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id, None while none runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def _start(self, now: float) -> None:
        # A new program, not a fork, which would copy locks as they happen to be.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "capture_service.processes.child", str(self.pulse.fd)],
            stdin=subprocess.PIPE,
            pass_fds=[self.pulse.fd],
        )
        self._tell(self._process)
        self._started = now

    def _tell(self, process: subprocess.Popen[bytes]) -> None:
        """What it captures, and how; by its standard input, since others can read a command line."""
        assert process.stdin is not None  # noqa: S101 - for mypy
        try:
            with process.stdin as pipe:
                pipe.write(self._told)
        except BrokenPipeError:
            logger.debug("ended before it was told what to capture", source=self.spec.name)  # it is buried as others

    def _bury(self, process: subprocess.Popen[bytes], now: float) -> None:
        if now - self._started > STEADY_SECONDS:
            self._backoff.reset()
        pause = self._backoff.next()
        exit_code = process.returncode
        logger.warning(
            "capture ended, starts again", source=self.spec.name, exit_code=exit_code, seconds=round(pause, 1)
        )
        self._process, self._next_start = None, now + pause

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
