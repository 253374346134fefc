"""Workers whose engine sleeps 100 ms per batch of 32: their joint speed, and the latency of readings."""

import time
from collections import defaultdict

import numpy as np

from benchmarks.measuring.measure import Size
from benchmarks.testbed.crop_generator import CropGenerator
from benchmarks.testbed.streams import stream_entries
from benchmarks.testbed.testbed import Testbed, testbed, until
from contract import keys
from contract.messages import Reading, read_outcome

SLEEP_SECONDS, BATCH = 0.1, 32
FRAME = 4
"""Faces per frame."""
THEORY = BATCH / SLEEP_SECONDS * FRAME / (FRAME + 1)
"""Faces per second of one worker that only sleeps. The end of each frame takes a place in a batch, too."""
LIVE_SHARE = 0.5


def speed(workers: int, size: Size) -> float:
    """Faces per second of several workers with a backlog."""
    seconds = size.of(0.5, 1.0, 8.0)
    with testbed() as here:
        supply = CropGenerator(here.clients.commands, faces=FRAME)
        supply.send(round(workers * THEORY * (seconds + 2)))
        _start(here, workers)
        supply.announce()
        results = keys.results(supply.names[0])
        until(lambda: here.clients.commands.xlen(results) > workers * BATCH, what="a batch of each worker")
        end = time.monotonic() + seconds
        while time.monotonic() < end and supply.left() > workers * BATCH:
            supply.announce()
            time.sleep(0.1)
        return sum(map(_rate, _batches(_readings(here, supply.names[0]))))


def latencies(sources: int, size: Size) -> tuple[float, float]:
    """Latency of readings in ms at a constant load: the median and the 95th percentile."""
    seconds = size.of(1.0, 1.0, 10.0)
    with testbed() as here:
        supply = CropGenerator(here.clients.commands, sources=sources, faces=FRAME, kind="camera")
        supply.announce()
        _start(here, 1)
        supply.send(FRAME)
        supply.await_outcomes()
        started, frames = time.monotonic(), 0
        while (late := time.monotonic() - started) < seconds:
            if frames * FRAME < late * THEORY * LIVE_SHARE:
                frames += supply.send(FRAME) // FRAME
            else:
                time.sleep(0.001)
        supply.await_outcomes()
        found = [one.done_ms - one.stored_ms for name in supply.names for one in _readings(here, name) if one.stored_ms]
        middle, high = np.percentile(found, (50, 95))
        return float(middle), float(high)


def _start(here: Testbed, workers: int) -> None:
    for number in range(workers):
        here.start(f"worker {number}", "benchmarks.testbed.sleeping_worker", sleep=f"{SLEEP_SECONDS}s", batch=BATCH)
    until(lambda: here.clients.commands.hlen(keys.WORKERS) == workers, what="the workers")


def _readings(here: Testbed, name: str) -> list[Reading]:
    found = map(read_outcome, stream_entries(here.clients.commands, keys.results(name)))
    return [one for one in found if isinstance(one, Reading)]


def _batches(readings: list[Reading]) -> list[dict[int, int]]:
    """For each worker: the time and the number of faces of its batches."""
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in readings:
        found[one.worker][one.done_ms] += 1
    return list(found.values())


def _rate(batches: dict[int, int]) -> float:
    """Faces per second between the end of a worker's first and last batch; 0 if it had only one."""
    first, last = min(batches), max(batches)
    if first == last:
        return 0.0
    return sum(faces for done_ms, faces in batches.items() if done_ms > first) * 1000 / (last - first)
