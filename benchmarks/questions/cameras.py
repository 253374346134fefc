"""How many sources of 640x480 at 15 frames a second the machine carries, none skipping a frame and all fresh."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.measuring.measure import Size
from benchmarks.reporting.answer import Answer, Row, Series
from benchmarks.reporting.command import alone
from benchmarks.testbed.system import System, Watch, system
from contract import keys
from contract.errors import MalformedMessage
from contract.messages import FrameDone, read_outcome
from contract.redis.broker import connect

ABOUT = (
    "The demo clip, up to two faces that move all the time, as so many sources of 15 frames a second, nobody looking. "
    "The age is that of a frame's outcome when it can be read from Redis, since the frame was taken. Sources are added "
    "until one skips a frame or the oldest hundredth of the outcomes is older than 200 ms."
)
FPS = 15
"""The demo clip's own pace."""
OLDEST_MS = 200.0
PERCENT = 99
BLOCK_MS = 200


@dataclass(frozen=True)
class Load:
    """What so many sources came to."""

    sources: int
    watch: Watch
    outcomes: int
    """Frames of which the end was read."""
    age_ms: float
    """p99."""

    @property
    def carried(self) -> bool:
        """Whether every frame was looked at, and in time."""
        complete = self.outcomes >= self.sources * self.watch.wall_s * FPS * 0.95
        return not self.watch.skipped and complete and self.age_ms < OLDEST_MS


def ask(size: Size, console: Console) -> Answer:
    """One load after the other, until one is too much."""
    seconds, loads = size.of(1.0, 3.0, 20.0), list[Load]()
    for sources in size.of((1,), (8,), (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32)):
        console.print(f"{sources} sources ...")
        loads.append(_load(sources, seconds))
        if not loads[-1].carried:
            break
    carried = max((load.sources for load in loads if load.carried), default=0)
    first = loads[0].watch
    rows = [
        Row("sources at 15/s, no frame skipped, p99 under 200 ms", carried, "sources", must=8, reach=20),
        *_rows(loads[-1]),
        Row(f"CPU a frame, {loads[0].sources} sources, all processes", 1000 / first.sample.per_cpu_second, "ms"),
    ]
    ages = {"p99": [(load.sources, load.age_ms) for load in loads]}
    cores = {"all processes": [(load.sources, load.watch.sample.cores) for load in loads]}
    plots = [
        Series("Age of a frame's outcome", "sources at 15/s", "ms", ages),
        Series("Cores in use", "sources at 15/s", "cores", cores),
    ]
    return Answer("cameras", ABOUT, rows, plots)


def _rows(load: Load) -> Iterator[Row]:
    name = f"{load.sources} sources"
    yield Row(f"age p99, {name}", load.age_ms, "ms", note=f"{load.watch.skipped} skipped of {load.watch.frames} frames")
    for process, seconds in load.watch.cpu_s.items():
        yield Row(f"CPU a frame, {name}, {process}", 1000 * seconds / max(1, load.watch.frames), "ms")


def _load(sources: int, seconds: float) -> Load:
    named = {f"cam{number}": "demo" for number in range(sources)}
    with system(named, viewers=0) as running, _ages(running, list(named)) as ages:
        watch = running.watch(seconds)
    return Load(sources, watch, len(ages), float(np.percentile(ages, PERCENT)) if ages else float("inf"))


@contextmanager
def _ages(running: System, sources: list[str]) -> Iterator[list[float]]:
    """The ages of what comes meanwhile, in ms, as one reader sees them."""
    ages: list[float] = []
    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(running.testbed.server.url, sources, ages, stop))
    reader.start()
    try:
        yield ages
    finally:
        stop.set()
        reader.join()


def _read(url: str, sources: list[str], ages: list[float], stop: threading.Event) -> None:
    client = connect(url, "ages").blocking
    cursors: dict[Any, Any] = {keys.results(source).encode(): b"$" for source in sources}
    server_s, micros = client.time()
    offset_ms = server_s * 1000 + micros / 1000 - time.monotonic() * 1000
    while not stop.is_set():
        reply: Any = client.xread(cursors, block=BLOCK_MS)
        now_ms = time.monotonic() * 1000 + offset_ms
        for stream, entries in reply or []:
            cursors[stream] = entries[-1][0]
            ages.extend(now_ms - done.captured_ms for _, fields in entries if (done := _done(fields)))
    client.close()


def _done(fields: dict[bytes, bytes]) -> FrameDone | None:
    try:
        outcome = read_outcome(fields)
    except MalformedMessage:
        return None
    return outcome if isinstance(outcome, FrameDone) else None


if __name__ == "__main__":
    alone(ask)
