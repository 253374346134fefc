"""Worker processes that are started, frozen, stopped and killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

CLAIM_AFTER = "500ms"


class WorkerProcess:
    """`python -m tests.faults.worker`, or another module; its log lines go to a file."""

    def __init__(self, url: str, log: Path, module: str, settings: dict[str, object]) -> None:
        self._log = log
        clean = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
        values = {"redis_url": url, "claim_after": CLAIM_AFTER, "log_json": "true", **settings}
        given = {f"EMOTII_{name.upper()}": str(value) for name, value in values.items()}
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module], env=clean | given, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def said(self, level: str) -> list[str]:
        """The events of its log lines of this level."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line["event"] for line in lines if line["level"] == level]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self, timeout: float = 60.0) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(timeout)

    def wait(self, timeout: float = 60.0) -> int:
        """The exit code of a process that ends by itself."""
        return self._process.wait(timeout)


class Crew:
    """All workers of a test; a context manager that kills those that are left."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self.workers: list[WorkerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for worker in self.workers:
            worker.kill()

    @property
    def living(self) -> list[WorkerProcess]:
        return [worker for worker in self.workers if worker.alive]

    def start(self, *, url: str = "", module: str = "tests.faults.worker", **settings: object) -> WorkerProcess:
        """One more worker, with `EchoEngine` unless `module` names another."""
        log = self._folder / f"worker-{len(self.workers)}.log"
        self.workers.append(WorkerProcess(url or self._url, log, module, settings))
        return self.workers[-1]
