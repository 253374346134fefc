"""Senders that each send a crop and wait for its answer: this pipeline and LitServe with the same engine."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
from rich.console import Console

from benchmarks.measuring.measure import Sample, Size, alternate, middle, ratios
from benchmarks.measuring.processes import Processes
from benchmarks.reporting.answer import Answer, Row
from benchmarks.reporting.command import run_question
from benchmarks.testbed.redis_senders import RedisSenders
from benchmarks.testbed.testbed import free_port, testbed, until
from contract import keys
from contract.service.health import is_healthy
from inference_service.engines import probe

ABOUT = (
    "64 senders, each with one crop in flight, in turns of some seconds: through Redis to two workers and back, and "
    "over HTTP to LitServe with two workers, its batching and its fast queue. Both run the same engine with one "
    "thread per worker. CPU seconds are those of the servers, not of the senders."
)
OURS, PEER = "this pipeline", "LitServe"
Send = Callable[[int], Awaitable[None]]


def ask(size: Size, console: Console) -> Answer:
    """Run both in turns."""
    senders, seconds = size.of(4, 64, 64), size.of(0.2, 1.0, 8.0)
    workers = os.cpu_count() or 1
    with testbed() as here, _litserve() as (port, peer):
        for number in range(1, workers + 1):
            here.start(f"inference {number}", "inference_service")
        until(lambda: here.clients.commands.hlen(keys.WORKERS) == workers, what="the workers")
        console.print(f"{senders} senders, {seconds} s each way and round ...")
        load = Load(senders, seconds)
        ways = {
            OURS: partial(load.ours, here.server.url, here.processes()),
            PEER: partial(load.peers, port, peer),
        }
        samples = alternate(ways, size.rounds, warm_up=size is not Size.TINY)
    return Answer("peer", ABOUT, list(_rows(samples, load.waits, size.rounds)))


class Load:
    """Senders that run for some seconds; `waits` has the p95 of their waiting time in ms for each turn."""

    def __init__(self, senders: int, seconds: float) -> None:
        self._senders = senders
        self._seconds = seconds
        self.waits: dict[str, list[float]] = {OURS: [], PEER: []}

    def ours(self, url: str, processes: Processes) -> Sample:
        async def run() -> Sample:
            async with RedisSenders(url, self._senders) as senders:
                return await self._turn(OURS, [senders.send] * self._senders, processes)

        return asyncio.run(run())

    def peers(self, port: int, processes: Processes) -> Sample:
        async def run() -> Sample:
            connections = [await _Connection.open(port) for _ in range(self._senders)]
            try:
                return await self._turn(PEER, [one.send for one in connections], processes)
            finally:
                for one in connections:
                    one.close()

        return asyncio.run(run())

    async def _turn(self, name: str, sends: list[Send], processes: Processes) -> Sample:
        start, cpu = time.perf_counter(), processes.all_cpu_seconds()
        waits: list[float] = []

        async def sender(number: int, send: Send) -> None:
            while (begun := time.perf_counter()) - start < self._seconds:
                await send(number)
                waits.append(1000 * (time.perf_counter() - begun))

        await asyncio.gather(*(sender(number, send) for number, send in enumerate(sends)))
        self.waits[name].append(float(np.percentile(waits, 95)))
        return Sample(len(waits), time.perf_counter() - start, processes.all_cpu_seconds() - cpu)


class _Connection:
    """One persistent connection to LitServe: the minimal cost of HTTP for a sender."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._bodies = [json.dumps({"pixels": b64encode(one.tobytes()).decode()}).encode() for one in probe(8)]

    @classmethod
    async def open(cls, port: int) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, number: int) -> None:
        """Send a crop and wait for its probabilities."""
        body = self._bodies[number % len(self._bodies)]
        head = f"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._writer.write(head.encode() + b"\r\n\r\n" + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in answer.partition(b"\r\n")[0]:
            raise OSError(f"LitServe answered {answer.decode(errors='replace')}")
        length = next(line for line in answer.split(b"\r\n") if line.startswith(b"content-length:"))
        await self._reader.readexactly(int(length.partition(b":")[2]))

    def close(self) -> None:
        self._writer.close()


@contextmanager
def _litserve() -> Iterator[tuple[int, Processes]]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.comparisons.litserve_server", str(port)]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=silent, stderr=silent, start_new_session=True) as process:
        try:
            until(lambda: is_healthy(f"http://127.0.0.1:{port}/health"), what="LitServe")
            yield port, Processes({PEER: process.pid})
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its processes outlive a SIGTERM


def _rows(samples: dict[str, list[Sample]], waits: dict[str, list[float]], rounds: int) -> Iterator[Row]:
    speed = {name: [sample.per_second for sample in found] for name, found in samples.items()}
    ours, peers = (middle(waits[name][-rounds:]) for name in (OURS, PEER))
    note = f"p95 {ours:.0f} ms and {peers:.0f} ms"
    yield Row.of(OURS, ratios(speed[OURS], speed[PEER]), "x", ratio_to=PEER, must=1.5, reach=3.0, note=note)
    for name, found in samples.items():
        yield Row.of(name, speed[name], "faces/s")
        yield Row.of(f"{name}, servers", [sample.per_cpu_second for sample in found], "faces/CPU s")
        yield Row.of(f"{name}, p95 of a sender's wait", waits[name][-rounds:], "ms")


if __name__ == "__main__":
    run_question(ask)
