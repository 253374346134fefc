"""The cost of clients and viewers for the gateway, compared with a simple gateway.

The simple gateway calls `send_json` for each event and client, and encodes each frame for each viewer. Both follow the
same source and are measured in turns. Clients offer no compression, which favours the simple gateway.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

import httpx
import psutil
from rich.console import Console

from benchmarks.measuring.measure import Sample, Size, alternate, middle, ratios, timed
from benchmarks.reporting.answer import Answer, Row, Series
from benchmarks.reporting.command import run_question
from benchmarks.testbed.reading_generator import ReadingGenerator
from benchmarks.testbed.testbed import Testbed, free_port, testbed, until
from contract.service.health import is_healthy

FACES, FPS = 4, 15.0
"""As in the video of a classroom of other questions."""
MANY_SOCKETS, MANY_VIEWERS = 200, 50
MOST_NAIVE_VIEWERS = 8
OURS, NAIVE = "emotii", "a naive gateway"


@dataclass(frozen=True)
class Side:
    """One of the two gateways."""

    name: str
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True)
class LoadClients:
    """Clients in a process of their own."""

    requests: IO[str]
    answers: IO[str]

    def delivered(self) -> int:
        """Readings and pictures that all clients together received since the last call."""
        self.requests.write("\n")
        self.requests.flush()
        return int(self.answers.readline())


@contextmanager
def load_clients(port: int, sockets: int, viewers: int) -> Iterator[LoadClients]:
    """The clients, once each has received something."""
    command = [sys.executable, "-m", "benchmarks.testbed.load_clients", str(port), str(sockets), str(viewers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes to the crowd")
        try:
            if process.stdout.readline().strip() != "there":
                raise RuntimeError("the crowd did not connect")
            yield LoadClients(process.stdin, process.stdout)
        finally:
            process.terminate()


def ask(size: Size, console: Console) -> Answer:
    """Run both gateways with increasing numbers of clients and viewers."""
    seconds = size.of(0.5, 1.0, 2.0)
    rounds = size.of(1, 1, 5)
    with testbed() as running, ReadingGenerator(running.server.url, FACES, FPS) as generator:
        sides = [_ours(running), _naive(running)]
        counts = size.of((2,), (MANY_SOCKETS,), (1, 10, 50, MANY_SOCKETS))
        sockets = {count: _in_turns(sides, rounds, seconds, sockets=count) for count in counts}
        console.print(f"WebSocket clients: {', '.join(map(str, counts))} done")
        counts = size.of((2,), (MANY_VIEWERS,), (1, 10, MANY_VIEWERS, 200))
        viewers = {count: _in_turns(sides, rounds, seconds, viewers=count) for count in counts}
        encodes = _encodes_a_frame(sides[0], generator, size.of(2, MANY_VIEWERS, MANY_VIEWERS))
    rows = [*_rows("WebSocket clients", sockets), *_rows("MJPEG viewers", viewers)]
    many = f"{MANY_VIEWERS} MJPEG viewers of one variant"
    rows.append(
        Row(
            many,
            encodes,
            "encodes a frame",
            must=1.0,
            reach=1.0,
            at_most=True,
        )
    )
    about = (
        f"One source of {FACES} faces at {FPS:.0f} frames a second, 640x480. CPU seconds of the gateway alone, "
        "compared with a small FastAPI application that only calls `send_json` for every event and client, and "
        "decodes, draws and encodes every frame for every viewer. Neither side uses compression."
    )
    lines = _lines("clients", sockets) | _lines("viewers", viewers)
    plot = Series("CPU of a delivery", "clients or viewers", "µs", lines, log_x=True, log_y=True)
    return Answer("fan_out", about, rows, [plot])


def _ours(running: Testbed) -> Side:
    url = running.start_gateway(max_connections=2000, max_connections_per_address=2000)
    return _side(OURS, int(url.rpartition(":")[2]), running)


def _naive(running: Testbed) -> Side:
    port = free_port()
    running.start("naive", "benchmarks.comparisons.naive_gateway", port=port)
    until(lambda: is_healthy(f"http://127.0.0.1:{port}/healthz"), what="the naive gateway")
    return _side(NAIVE, port, running)


def _side(name: str, port: int, running: Testbed) -> Side:
    process = running.services[-1].process
    if process is None:
        raise RuntimeError(f"{name} does not run")
    return Side(name, port, psutil.Process(process.pid))


def _in_turns(
    sides: list[Side], rounds: int, seconds: float, *, sockets: int = 0, viewers: int = 0
) -> dict[str, list[Sample]]:
    """Samples by side; the count is the number of readings or pictures that clients received."""
    ours, naive = sides
    ways: dict[str, Callable[[], Sample]] = {
        ours.name: partial(_measured, ours, seconds, sockets, viewers),
        # More viewers would not change its cost per picture.
        naive.name: partial(_measured, naive, seconds, sockets, min(viewers, MOST_NAIVE_VIEWERS)),
    }
    return alternate(ways, rounds)


def _measured(side: Side, seconds: float, sockets: int, viewers: int) -> Sample:
    with load_clients(side.port, sockets, viewers) as clients:
        clients.delivered()

        def work() -> float:
            time.sleep(seconds)
            return clients.delivered()

        return timed(work, side.cpu_seconds)


def _encodes_a_frame(ours: Side, generator: ReadingGenerator, viewers: int) -> float:
    """By the gateway's own metric, over a few seconds."""

    def encoded() -> float:
        answer = httpx.get(f"http://127.0.0.1:{ours.port}/metrics")
        return next(
            float(line.split()[-1])
            for line in answer.text.splitlines()
            if line.startswith("emotii_gateway_pictures_made")
        )

    with load_clients(ours.port, 0, viewers):
        before, frames = encoded(), generator.frames
        time.sleep(2)
        return (encoded() - before) / (generator.frames - frames)


def _rows(what: str, found: dict[int, dict[str, list[Sample]]]) -> Iterator[Row]:
    for count, samples in found.items():
        ours, naive = ([1e6 * one.cpu_s / max(1, one.count) for one in samples[name]] for name in (OURS, NAIVE))
        must, reach = (0.25, 0.125) if (what, count) == ("WebSocket clients", MANY_SOCKETS) else (None, None)
        note = f"{middle(one.cores for one in samples[OURS]):.3f} cores"
        yield Row.of(f"{count} {what}", ours, "µs a delivery", note=note)
        yield Row.of(f"{count} {what}", ratios(ours, naive), "x", ratio_to=NAIVE, must=must, reach=reach, at_most=True)


def _lines(what: str, found: dict[int, dict[str, list[Sample]]]) -> dict[str, list[tuple[float, float]]]:
    return {
        f"{name}, {what}": [
            (float(count), middle(1e6 * one.cpu_s / max(1, one.count) for one in samples[name]))
            for count, samples in found.items()
        ]
        for name in (OURS, NAIVE)
    }


if __name__ == "__main__":
    run_question(ask)
