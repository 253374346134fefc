"""The number of sources of 640x480 at 15 frames a second that the machine sustains without skips and in time."""

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
from benchmarks.reporting.command import run_question
from benchmarks.testbed.system import Observation, System, system
from contract import keys
from contract.errors import MalformedMessage
from contract.messages import FrameDone, read_outcome
from contract.redis.broker import connect

ABOUT = (
    "The demo clip, with up to two faces that always move, as several sources of 15 frames a second each, without "
    "viewers. The latency is the time from the capture of a frame until its outcome can be read from Redis. Sources "
    "are added until one skips a frame or the 99th percentile of the latency exceeds 200 ms."
)
FPS = 15
"""The frame rate of the demo clip."""
LIMIT_MS = 200.0
PERCENT = 99
BLOCK_MS = 200


@dataclass(frozen=True)
class Load:
    """The measurement of one number of sources."""

    sources: int
    observation: Observation
    outcomes: int
    """Frames whose end was read."""
    latency_ms: float
    """p99."""

    @property
    def carried(self) -> bool:
        """Whether every frame was processed, and in time."""
        complete = self.outcomes >= self.sources * self.observation.wall_s * FPS * 0.95
        return not self.observation.skipped and complete and self.latency_ms < LIMIT_MS


def ask(size: Size, console: Console) -> Answer:
    """Increase the number of sources until it is too high."""
    seconds, loads = size.of(1.0, 3.0, 20.0), list[Load]()
    for sources in size.of((1,), (8,), (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32)):
        console.print(f"{sources} sources ...")
        loads.append(_load(sources, seconds))
        if not loads[-1].carried:
            break
    carried = max((load.sources for load in loads if load.carried), default=0)
    first = loads[0].observation
    rows = [
        Row("sources at 15/s, no frame skipped, p99 under 200 ms", carried, "sources", must=8, reach=20),
        *_rows(loads[-1]),
        Row(f"CPU a frame, {loads[0].sources} sources, all processes", 1000 / first.sample.per_cpu_second, "ms"),
    ]
    latencies = {"p99": [(load.sources, load.latency_ms) for load in loads]}
    cores = {"all processes": [(load.sources, load.observation.sample.cores) for load in loads]}
    plots = [
        Series("Age of a frame's outcome", "sources at 15/s", "ms", latencies),
        Series("Cores in use", "sources at 15/s", "cores", cores),
    ]
    return Answer("cameras", ABOUT, rows, plots)


def _rows(load: Load) -> Iterator[Row]:
    name = f"{load.sources} sources"
    yield Row(
        f"latency p99, {name}",
        load.latency_ms,
        "ms",
        note=f"{load.observation.skipped} skipped of {load.observation.frames} frames",
    )
    for process, seconds in load.observation.cpu_s.items():
        yield Row(f"CPU a frame, {name}, {process}", 1000 * seconds / max(1, load.observation.frames), "ms")


def _load(sources: int, seconds: float) -> Load:
    named = {f"cam{number}": "demo" for number in range(sources)}
    with system(named, viewers=0) as running, _latencies(running, list(named)) as latencies:
        observation = running.observe(seconds)
    return Load(
        sources, observation, len(latencies), float(np.percentile(latencies, PERCENT)) if latencies else float("inf")
    )


@contextmanager
def _latencies(running: System, sources: list[str]) -> Iterator[list[float]]:
    """The latencies of outcomes in ms, for a reader of Redis, for the duration of the context."""
    latencies: list[float] = []
    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(running.testbed.server.url, sources, latencies, stop))
    reader.start()
    try:
        yield latencies
    finally:
        stop.set()
        reader.join()


def _read(url: str, sources: list[str], latencies: list[float], stop: threading.Event) -> None:
    client = connect(url, "latencies").blocking
    cursors: dict[Any, Any] = {keys.results(source).encode(): b"$" for source in sources}
    server_s, micros = client.time()
    offset_ms = server_s * 1000 + micros / 1000 - time.monotonic() * 1000
    while not stop.is_set():
        reply: Any = client.xread(cursors, block=BLOCK_MS)
        now_ms = time.monotonic() * 1000 + offset_ms
        for stream, entries in reply or []:
            cursors[stream] = entries[-1][0]
            latencies.extend(now_ms - done.captured_ms for _, fields in entries if (done := _done(fields)))
    client.close()


def _done(fields: dict[bytes, bytes]) -> FrameDone | None:
    try:
        outcome = read_outcome(fields)
    except MalformedMessage:
        return None
    return outcome if isinstance(outcome, FrameDone) else None


if __name__ == "__main__":
    run_question(ask)
