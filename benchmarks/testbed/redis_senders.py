"""Senders that each add one crop to Redis and wait for its reading."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import hiredis

from benchmarks.testbed.testbed import PATIENCE_SECONDS
from contract import keys
from contract.messages import Crop, Face, FrameId, Quality, SourceStatus
from contract.redis.broker import connect
from inference_service.engines import probe

SOURCE = "bench"
FACE = Face(0, 1, (10.0, 10.0, 100.0, 100.0), 0.9, Quality(1.0, 1.0, 100.0, 0.0, 1.0))
TOGETHER = 64
"""Results per read."""
PART = 1 << 20
"""Bytes per read of a reply."""


class RedisSenders:
    """All senders share one connection that adds and one that reads: the minimal cost of Redis for a sender.

    Like the senders of the other side, they pack their crops in advance, and only match each answer to its sender.

    Args:
        url: of a server with a Unix socket.
        senders: the maximum number.
    """

    def __init__(self, url: str, senders: int) -> None:
        self._url = url
        self._epoch = uuid4().hex
        self._crops = [
            dict(Crop(FrameId(SOURCE, self._epoch, number), FACE, number, 0, one.tobytes()).fields())
            for number, one in enumerate(probe(8))
        ]
        self._frame = 0
        self._awaited: dict[bytes, asyncio.Future[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        path = urlsplit(self._url).path
        adding, self._adding = await asyncio.open_unix_connection(path)
        reading, self._reading = await asyncio.open_unix_connection(path)
        await asyncio.to_thread(self._announce)
        self._tasks = [asyncio.create_task(self._discard_ids(adding)), asyncio.create_task(self._read(reading))]
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._adding.close()
        self._reading.close()

    async def send(self, number: int) -> None:
        """Send a crop and wait for its reading."""
        self._frame += 1
        frame = b"%d" % self._frame
        answer = self._awaited[frame] = asyncio.get_running_loop().create_future()
        crop = self._crops[number % len(self._crops)] | {b"frame": frame}
        self._adding.write(_packed("XADD", keys.crops(SOURCE), "*", *(part for pair in crop.items() for part in pair)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await answer

    def _announce(self) -> None:
        """Register the source, and delete the results of the previous turn.

        The crops stream stays, because the workers' group is part of it.
        """
        clients = connect(self._url, "senders")
        seconds, micros = clients.commands.time()
        now_ms = seconds * 1000 + micros // 1000
        ahead_ms = now_ms + round(PATIENCE_SECONDS * 1000)  # once for the whole turn
        status = SourceStatus(name=SOURCE, kind="job", state="ONLINE", since_ms=now_ms, seen_ms=ahead_ms)
        clients.commands.hset(keys.SOURCES, SOURCE, status.model_dump_json())
        clients.commands.delete(keys.results(SOURCE))
        clients.close()

    async def _discard_ids(self, adding: asyncio.StreamReader) -> None:
        """Discard the ids that the server returns; raise its errors."""
        replies = hiredis.Reader()
        while part := await adding.read(PART):
            replies.feed(part)
            while (reply := replies.gets()) is not False:
                if isinstance(reply, hiredis.ReplyError):
                    raise reply

    async def _read(self, reading: asyncio.StreamReader) -> None:
        replies, last = hiredis.Reader(), b"0-0"
        while True:
            self._reading.write(
                _packed("XREAD", "COUNT", TOGETHER, "BLOCK", 500, "STREAMS", keys.results(SOURCE), last)
            )
            while (reply := replies.gets()) is False:
                replies.feed(await reading.read(PART))
            for _, entries in reply or ():
                for entry, fields in entries:
                    last = entry
                    if answer := self._awaited.pop(fields[fields.index(b"frame") + 1], None):
                        answer.set_result(None)


def _packed(*parts: str | bytes | int) -> bytes:
    packed: bytes = hiredis.pack_command(parts)  # type: ignore[arg-type]  # its stub wants a tuple of one
    return packed
