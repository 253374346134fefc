"""A power cut: the server dies and loses everything that was not synced to disk."""

import time
from collections import deque
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from emotii.local.redis_server import PrivateServer

LOOK_SECONDS = 0.05
REMEMBERED_SECONDS = 10.0


class PowerCut:
    """Watches the append-only file of a server, so that its last seconds can be removed; a context manager.

    A killed process leaves to the kernel what it wrote, so that `kill -9` alone loses next to nothing. With
    `appendfsync everysec` a power cut may lose about a second, or two while the disk is slow.
    """

    def __init__(self, server: PrivateServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._sizes: deque[tuple[float, Path, int]] = deque(maxlen=round(REMEMBERED_SECONDS / LOOK_SECONDS))
        self._stop = Event()
        self._thread = Thread(target=self._watch, name="append-only file")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def strike(self, lost_seconds: float) -> int:
        """Kill the server and cut off what it wrote in its last seconds; how many bytes that were."""
        self._server.kill()
        before = time.monotonic() - lost_seconds
        file, kept = max((at, file, size) for at, file, size in self._sizes if at <= before)[1:]
        written = file.stat().st_size
        with file.open("r+b") as opened:
            opened.truncate(kept)
        self._sizes.clear()
        return written - kept

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for file in self._folder.rglob("*.incr.aof"):
                self._sizes.append((time.monotonic(), file, file.stat().st_size))
