"""Processes that belong together: started in order, started again when they die, stopped in the opposite order."""

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
from contract.service.lifecycle import USAGE_EXIT, die_with_parent

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
SETTLED_SECONDS = 30.0
"""Who ran this long before it died is started again without a growing pause."""


class Supervised(Protocol):
    """Something that runs as a process."""

    name: str

    @property
    def after(self) -> float:
        """How many seconds after the others it starts."""
        ...

    def start(self) -> None: ...
    def exit_code(self) -> int | None:
        """None while it runs."""
        ...

    def stop(self) -> None: ...


@dataclass
class Service:
    """A Python module that is run as a child process, `python -m module`.

    It has a session of its own: Ctrl-C in the terminal is for the supervisor, which then stops its children in order.
    """

    name: str
    module: str
    environment: Mapping[str, str]
    patience: float = 8.0
    """Seconds from SIGTERM to SIGKILL."""
    after: float = 0.0
    """Seconds for which it leaves the processors to the others' start."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it only makes one system call
        )

    def exit_code(self) -> int | None:
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            logger.warning("does not stop, killing it", process=self.name)
            self.process.kill()
            self.process.wait()


def services_environment(redis_url: str, log_level: str) -> dict[str, str]:
    """Our own environment for services that run side by side on this machine."""
    environment = {**os.environ, "EMOTII_REDIS_URL": redis_url, "EMOTII_LOG_LEVEL": log_level}
    environment.pop("EMOTII_METRICS_PORT", None)  # there are several of each: each takes a free port
    return environment


def workers(count: int, environment: Mapping[str, str]) -> list[Service]:
    """So many inference workers."""
    return [Service(f"inference {number}", "inference_service", environment) for number in range(1, count + 1)]


@dataclass
class _Watched:
    process: Supervised
    backoff: Backoff = field(default_factory=lambda: Backoff(0.5, 10.0))
    started: float = 0.0
    again_at: float | None = None


class Supervisor:
    """Keeps processes running; a context manager that stops them on the way out, in the opposite order of their start.

    Args:
        processes: in the order in which they start; a later one may need an earlier one.
    """

    def __init__(self, processes: Sequence[Supervised]) -> None:
        self._watched = [_Watched(process) for process in processes]

    def __enter__(self) -> "Supervisor":
        try:
            for watched in self._watched:
                if watched.process.after:
                    watched.again_at = time.monotonic() + watched.process.after
                else:
                    self._start(watched)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def watch(self, stop: Event) -> None:
        """Start again what dies, until `stop`.

        Raises:
            EmotiiError: a process refuses its settings (it has said why): trying again would not help.
        """
        while not stop.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """One look at all processes."""
        now = time.monotonic()
        for watched in self._watched:
            if watched.again_at is not None:
                if now >= watched.again_at:
                    watched.again_at = None
                    self._start(watched)
            elif (code := watched.process.exit_code()) is not None:
                self._died(watched, code, now)

    def _died(self, watched: _Watched, code: int, now: float) -> None:
        if code == USAGE_EXIT:
            raise EmotiiError(f"{watched.process.name} cannot run with these settings (its reason stands above)")
        if now - watched.started > SETTLED_SECONDS:
            watched.backoff.reset()
        pause = watched.backoff.next()
        watched.again_at = now + pause
        logger.warning("died, starting it again", process=watched.process.name, code=code, in_seconds=round(pause, 1))

    def _start(self, watched: _Watched) -> None:
        watched.process.start()
        watched.started = time.monotonic()

    def _stop(self) -> None:
        for watched in reversed(self._watched):
            watched.process.stop()
