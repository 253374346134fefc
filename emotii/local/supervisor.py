"""Supervision of processes: started in order, restarted when they die, stopped in reverse order."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

import structlog

from contract.errors import EmotiiError
from contract.redis.broker import Backoff
from contract.service.lifecycle import USAGE_EXIT
from emotii.local import child_process

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
STABLE_SECONDS = 30.0
"""If a process ran for so long before it died, the backoff of its restarts begins anew."""


class Supervised(Protocol):
    """A process that can be started and stopped."""

    name: str

    @property
    def after(self) -> float:
        """Seconds between the start of the others and its own."""
        ...

    def start(self) -> None: ...
    def exit_code(self) -> int | None:
        """None while it runs."""
        ...

    def stop(self) -> None: ...


@dataclass
class Service:
    """A Python module that runs as a child process, `python -m module`."""

    name: str
    module: str
    environment: Mapping[str, str]
    stop_seconds: float = 8.0
    """Seconds from SIGTERM to SIGKILL."""
    after: float = 0.0
    """Seconds by which its start is delayed, so that the others start faster."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = child_process.spawn([sys.executable, "-m", self.module], self.environment)

    def exit_code(self) -> int | None:
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        if self.process is not None and not child_process.stop(self.process, self.stop_seconds):
            logger.warning("did not stop, killed it", process=self.name)


def services_environment(redis_url: str, log_level: str) -> dict[str, str]:
    """The environment for services that run side by side on this machine."""
    environment = {**os.environ, "EMOTII_REDIS_URL": redis_url, "EMOTII_LOG_LEVEL": log_level}
    environment.pop("EMOTII_METRICS_PORT", None)  # several processes cannot share a port: each takes a free one
    return environment


def workers(count: int, environment: Mapping[str, str]) -> list[Service]:
    """`count` inference workers."""
    return [Service(f"inference {number}", "inference_service", environment) for number in range(1, count + 1)]


@dataclass
class _Watched:
    process: Supervised
    backoff: Backoff = field(default_factory=lambda: Backoff(0.5, 10.0))
    started: float = 0.0
    restart_at: float | None = None


class Supervisor:
    """Keeps processes running. A context manager that starts them in order and stops them in reverse order.

    Args:
        processes: in the order of their start; a process may depend on those before it.
    """

    def __init__(self, processes: Sequence[Supervised]) -> None:
        self._watched = [_Watched(process) for process in processes]

    def __enter__(self) -> "Supervisor":
        try:
            for watched in self._watched:
                if watched.process.after:
                    watched.restart_at = time.monotonic() + watched.process.after
                else:
                    self._start(watched)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def run(self, stop: Event) -> None:
        """Restart processes that die, until `stop` is set.

        Raises:
            EmotiiError: a process rejects its settings (and has printed the reason), so that a restart is useless.
        """
        while not stop.wait(POLL_SECONDS):
            self.poll()

    def poll(self) -> None:
        """Start what is due, and schedule the restart of processes that died.

        Raises:
            EmotiiError: as `run` raises it.
        """
        now = time.monotonic()
        for watched in self._watched:
            if watched.restart_at is not None:
                if now >= watched.restart_at:
                    watched.restart_at = None
                    self._start(watched)
            elif (code := watched.process.exit_code()) is not None:
                self._died(watched, code, now)

    def _died(self, watched: _Watched, code: int, now: float) -> None:
        if code == USAGE_EXIT:
            raise EmotiiError(f"{watched.process.name} cannot run with these settings (see its message above)")
        if now - watched.started > STABLE_SECONDS:
            watched.backoff.reset()
        pause = watched.backoff.next()
        watched.restart_at = now + pause
        name, pause_seconds = watched.process.name, round(pause, 1)
        logger.warning("process died, restarting it", process=name, code=code, in_seconds=pause_seconds)

    def _start(self, watched: _Watched) -> None:
        watched.process.start()
        watched.started = time.monotonic()

    def _stop(self) -> None:
        for watched in reversed(self._watched):
            watched.process.stop()
