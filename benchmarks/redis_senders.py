"""Senders that put single crops into Redis, and wait for their readings."""

import asyncio
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import redis.asyncio

from benchmarks.stage import PATIENCE_SECONDS
from contract import keys
from contract.messages import Crop, Face, FrameDone, FrameId, Quality, Reading, SourceStatus, read_outcome
from inference_service.engines import probe

SOURCE = "bench"
FACE = Face(0, 1, (10.0, 10.0, 100.0, 100.0), 0.9, Quality(1.0, 1.0, 100.0, 0.0, 1.0))
TOGETHER = 64
"""Results that are read at once."""


class RedisSenders:
    """One connection for all of them: what they add in the same turn of the loop goes in one packet.

    Args:
        url: of the server.
        senders: how many at most.
    """

    def __init__(self, url: str, senders: int) -> None:
        self._client = redis.asyncio.Redis.from_url(url)
        self._pixels = [one.tobytes() for one in probe(8)]
        self._epoch = uuid4().hex
        self._frame = 0
        self._awaited: dict[int, asyncio.Future[None]] = {}
        self._unsent: list[int] = []
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._over = False

    async def __aenter__(self) -> Self:
        await self._client.delete(keys.results(SOURCE))  # not the crops, with which the workers' group would go
        self._tasks = [asyncio.create_task(task) for task in (self._announce(), self._add(), self._read())]
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._over = True  # not by a cancellation alone: redis-py takes one in the middle of a reply for an outage
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def send(self, _number: int) -> None:
        """Send a crop and wait for its reading."""
        self._frame += 1
        answer = self._awaited[self._frame] = asyncio.get_running_loop().create_future()
        self._unsent.append(self._frame)
        self._wake.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await answer

    async def _announce(self) -> None:
        """Say once a second that the source is there, as a capture does."""
        while True:
            seconds, micros = await self._client.time()
            now_ms = seconds * 1000 + micros // 1000
            status = SourceStatus(name=SOURCE, kind="job", state="ONLINE", since_ms=now_ms, seen_ms=now_ms)
            await self._client.hset(keys.SOURCES, SOURCE, status.model_dump_json())
            await asyncio.sleep(1.0)

    async def _add(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            frames, self._unsent = self._unsent, []
            pipeline = self._client.pipeline(transaction=True)
            for frame in frames:
                name = FrameId(SOURCE, self._epoch, frame)
                crop = Crop(name, FACE, frame, 0, self._pixels[frame % len(self._pixels)])
                pipeline.xadd(keys.crops(SOURCE), dict[Any, Any](crop.fields()))
                pipeline.xadd(keys.crops(SOURCE), dict[Any, Any](FrameDone(name, frame, 1, 640, 480).fields()))
            await pipeline.execute()

    async def _read(self) -> None:
        async with self._client.client() as reader:
            last: bytes = b"0-0"
            while not self._over:
                reply: Any = await reader.xread({keys.results(SOURCE): last}, count=TOGETHER, block=500)
                for _, entries in reply:
                    for entry, fields in entries:
                        last = entry
                        outcome = read_outcome(fields)
                        if isinstance(outcome, Reading) and (answer := self._awaited.pop(outcome.id.frame, None)):
                            answer.set_result(None)
