"""Reads the results streams of all sources with its own cursors: every gateway reads every result."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import redis.asyncio
import structlog
from redis.exceptions import ResponseError

from api_gateway.results.processor import ResultProcessor
from contract import keys
from contract.errors import MalformedMessage
from contract.messages import Dead, Outcome, read_outcome
from contract.redis.broker import BLOCK_MS, AsyncClients
from contract.redis.clock import RedisClock
from contract.redis.stored import id_order

logger = structlog.get_logger()
AT_A_TIME = 100
"""Few, since processing them blocks the event loop; a job at full speed sends thousands a second."""
_READABLE = (b"stream", b"none")
CLOCK_ERROR_MS = 100
"""The largest error of this process's estimate of Redis's clock."""
CHECK_SECONDS = 1.0
REFUSED_SECONDS = 5.0
"""How long a key that is not a stream is left out, so that it does not block the others."""


class UploadConsumer(Protocol):
    """Receives what came of uploaded pictures."""

    def process(self, outcome: Outcome) -> None:
        """An outcome of the source `uploads`."""

    def dead_letter(self, dead: Dead) -> None:
        """A dead-lettered entry of the source `uploads`."""


class StreamReader:
    """Reads the results streams of all sources, and the results and dead-letter streams of the uploads from now on.

    Args:
        clients: of this process.
        clock: Redis's.
        sources: returns the names of the sources that exist.
        processor: receives the outcomes of the sources, in the order of each stream.
        uploads: receives those of uploaded pictures.
    """

    def __init__(
        self,
        clients: AsyncClients,
        clock: RedisClock,
        sources: Callable[[], Iterable[str]],
        processor: ResultProcessor,
        uploads: UploadConsumer,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._sources = sources
        self._processor = processor
        self._uploads = uploads
        self._cursors: dict[str, bytes] = {}
        """By key."""
        self._followed: dict[str, str] = {}
        """The sources that the processor follows, by the key of their results."""
        self._check_due = 0.0
        self._refused: dict[str, float] = {}
        self._warned: set[str] = set()

    async def read(self) -> None:
        """Wait at most half a second for outcomes, and pass them on."""
        await self._follow_sources()
        if not self._cursors:
            await asyncio.sleep(BLOCK_MS / 1000)
            return
        streams: dict[Any, Any] = dict(self._cursors)
        read_from_ms = self._clock.now_ms() - CLOCK_ERROR_MS
        try:
            replies: Any = await self._clients.blocking.xread(streams, count=AT_A_TIME, block=BLOCK_MS)
        except ResponseError:
            if not await self._refuse_no_streams():
                raise
            return
        unfinished = set()
        for key, entries in replies or []:
            for entry, fields in entries:
                self._cursors[key.decode()] = entry
                self._process(key.decode(), entry, fields)
            if len(entries) == AT_A_TIME:
                unfinished.add(key.decode())
        for key, source in self._followed.items():
            if key not in unfinished:
                self._processor.advance_time(source, read_from_ms)
        if time.monotonic() >= self._check_due:
            self._check_due = time.monotonic() + CHECK_SECONDS
            await self._check_ends()

    def _process(self, key: str, entry: bytes, fields: dict[bytes, bytes]) -> None:
        try:
            if key == keys.dead(keys.UPLOADS):
                self._uploads.dead_letter(Dead.read(fields))
            elif source := self._followed.get(key):
                self._processor.process(source, entry, _outcome(fields, key))
            else:
                self._uploads.process(_outcome(fields, key))
        except MalformedMessage as error:
            # The stream belongs to the workers: a gateway cannot dead-letter its entries.
            self._warn(key, "malformed result ignored", str(error))

    async def _follow_sources(self) -> None:
        now = time.monotonic()
        sources = {keys.results(source): source for source in self._sources() if source != keys.UPLOADS}
        # Uploads always: their cursors have to stand before the first picture is uploaded.
        wanted = {keys.results(keys.UPLOADS), keys.dead(keys.UPLOADS), *sources}
        self._refused = {key: until for key, until in self._refused.items() if until > now}
        self._warned &= wanted
        for gone in self._cursors.keys() - wanted:
            self._leave(gone)
        for new in sorted(wanted - self._cursors.keys() - self._refused.keys()):
            try:
                end = await _end(self._clients.commands, new)
                if (source := sources.get(new)) is None:
                    self._cursors[new] = end
                else:
                    self._cursors[new] = await self._processor.begin(source, end)
                    self._followed[new] = source
            except ResponseError as error:
                self._refuse(new, str(error))

    async def _check_ends(self) -> None:
        """Leave streams that end before their cursor: they began anew after Redis's clock was set back."""
        pipeline = self._clients.commands.pipeline(transaction=False)
        names = list(self._cursors)
        for key in names:
            pipeline.xrevrange(key, count=1)
        for key, last in zip(names, await pipeline.execute(raise_on_error=False), strict=True):
            if isinstance(last, list) and last and id_order(last[0][0]) < id_order(self._cursors[key]):
                self._leave(key)

    async def _refuse_no_streams(self) -> bool:
        """Leave out the keys that are no streams, one of which fails the read of all; returns whether there are any."""
        names = list(self._cursors)
        pipeline = self._clients.commands.pipeline(transaction=False)
        for key in names:
            pipeline.type(key)
        others = [(k, kind) for k, kind in zip(names, await pipeline.execute(), strict=True) if kind not in _READABLE]
        for key, kind in others:
            self._refuse(key, f"it is a {kind.decode()}")
        return bool(others)

    def _refuse(self, key: str, reason: str) -> None:
        self._warn(key, "results cannot be read, left out", reason)
        self._refused[key] = time.monotonic() + REFUSED_SECONDS
        self._leave(key)

    def _leave(self, key: str) -> None:
        self._cursors.pop(key, None)
        self._followed.pop(key, None)

    def _warn(self, key: str, event: str, reason: str) -> None:
        if key not in self._warned:
            logger.warning(event, key=key, reason=reason)
            self._warned.add(key)


def _outcome(fields: dict[bytes, bytes], key: str) -> Outcome:
    outcome = read_outcome(fields)
    if keys.results(outcome.id.source) != key:
        raise MalformedMessage("source: not the source of this stream")
    return outcome


async def _end(client: redis.asyncio.Redis, stream: str) -> bytes:
    """The id of the last entry. "$" would be another place at each read, and lose the entries in between."""
    last: Any = await client.xrevrange(stream, count=1)
    return bytes(last[0][0]) if last else b"0-0"
