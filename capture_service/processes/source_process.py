"""The process of one source, as the supervisor sees it: started, watched, started again, ended."""

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
"""How much longer than other turns the first one may take: the process loads OpenCV and a network before it."""
STABLE_SECONDS = 30.0
"""A process that ran this long is started again without the pauses of earlier failures."""


class SourceProcess:
    """Captures `spec`, the source at place `order`, in a process of its own.

    Args:
        spec: the source.
        order: its place in the list of sources.
        settings: of the capture service.
        longest_turn: seconds that a turn of the process may take; after that it counts as hung.
    """

    def __init__(self, spec: SourceSpec, order: int, settings: CaptureSettings, longest_turn: float) -> None:
        self.spec = spec
        self.order = order
        self.watchdog = Watchdog(longest_turn)
        self._arguments = pickle.dumps((spec, order, settings, longest_turn))
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=10.0)

    def poll(self, tolerance: float) -> None:
        """Start the process when a start is due; kill it when its turn takes `tolerance` seconds too long."""
        now = time.monotonic()
        if self._process is not None and self.alive and not self.watchdog.alive(tolerance):
            logger.warning("capture hangs, killed", source=self.spec.name)
            self._kill(self._process)
        if self._process is not None and not self.alive:
            self._schedule_restart(self._process, now)
        if self._process is None:
            self.watchdog.feed(START_SECONDS)
            if now >= self._next_start:
                self._start(now)

    def terminate(self) -> None:
        """Request an end in order."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until the process has ended; kill it when it has not ended by then."""
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
        """The process id, None while no process runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def _start(self, now: float) -> None:
        # A new program, not a fork, which would copy locks in whatever state they are.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "capture_service.processes.child", str(self.watchdog.fd)],
            stdin=subprocess.PIPE,
            pass_fds=[self.watchdog.fd],
        )
        self._send_arguments(self._process)
        self._started = now

    def _send_arguments(self, process: subprocess.Popen[bytes]) -> None:
        """Send source and settings over standard input, since other users can read a command line."""
        assert process.stdin is not None  # noqa: S101 - for mypy
        try:
            with process.stdin as pipe:
                pipe.write(self._arguments)
        except BrokenPipeError:
            logger.debug("capture ended before it read its source", source=self.spec.name)  # the next poll restarts it

    def _schedule_restart(self, process: subprocess.Popen[bytes], now: float) -> None:
        if now - self._started > STABLE_SECONDS:
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
