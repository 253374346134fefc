"""Reading the results of every source, with a cursor of our own: other gateways read the same."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import ResponseError

from contract import keys
from contract.errors import MalformedMessage
from contract.messages import Dead, Outcome, read_outcome
from contract.redis.broker import BLOCK_MS, AsyncClients
from contract.redis.clock import RedisClock

logger = structlog.get_logger()
AT_A_TIME = 100
"""Few, since taking them in holds up everything else on the loop; a job in full run brings thousands a second."""
_READABLE = (b"stream", b"none")
CLOCK_ERROR_MS = 100
"""By how much Redis's clock may be misjudged here, at most."""
REFUSED_SECONDS = 5.0
"""How long a key that is no stream is left aside, so that it does not hold up the others."""


class StreamReader:
    """The results streams of all sources, and what of the uploads was buried; uploads from now on.

    Args:
        clients: of this process.
        clock: Redis's.
        sources: tells the names of the sources that there are.
        begin: gives the entry behind which to read a source.
        take: called with the source, the entry's id and the outcome, in the order of its stream.
        pass_time: called with a source of which everything has been taken that was stored up to the given ms.
        bury: called with each dead entry of the uploads, in their order.
    """

    def __init__(
        self,
        clients: AsyncClients,
        clock: RedisClock,
        sources: Callable[[], Iterable[str]],
        *,
        begin: Callable[[str], Awaitable[bytes]],
        take: Callable[[str, bytes, Outcome], None],
        pass_time: Callable[[str, int], None],
        bury: Callable[[Dead], None],
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._sources = sources
        self._begin = begin
        self._take = take
        self._pass_time = pass_time
        self._bury = bury
        self._cursors: dict[str, bytes] = {}
        """By key."""
        self._followed: dict[str, str] = {}
        """The sources that were begun, by the key of their results."""
        self._refused: dict[str, float] = {}
        self._warned: set[str] = set()

    async def read(self) -> None:
        """Wait for outcomes, at most half a second, and hand them on."""
        await self._follow_sources()
        if not self._cursors:
            await asyncio.sleep(BLOCK_MS / 1000)
            return
        streams: dict[Any, Any] = dict(self._cursors)
        asked_ms = self._clock.now_ms() - CLOCK_ERROR_MS
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
                self._hand_on(key.decode(), entry, fields)
            if len(entries) == AT_A_TIME:
                unfinished.add(key.decode())
        for key, source in self._followed.items():
            if key not in unfinished:
                self._pass_time(source, asked_ms)

    def _hand_on(self, key: str, entry: bytes, fields: dict[bytes, bytes]) -> None:
        try:
            if key == keys.dead(keys.UPLOADS):
                self._bury(Dead.read(fields))
            else:
                self._take(self._followed.get(key, keys.UPLOADS), entry, _outcome(fields, key))
        except MalformedMessage as error:
            # The stream is the workers'; nothing here could bury what is in it.
            self._warn(key, "malformed result passed over", str(error))

    async def _follow_sources(self) -> None:
        now = time.monotonic()
        sources = {keys.results(source): source for source in self._sources()}
        wanted = sources.keys() | {keys.dead(keys.UPLOADS)}
        self._refused = {key: until for key, until in self._refused.items() if until > now}
        self._warned &= wanted
        for gone in self._cursors.keys() - wanted:
            self._leave(gone)
        for new in sorted(wanted - self._cursors.keys() - self._refused.keys()):
            try:
                end = await _end(self._clients.commands, new)
                if sources.get(new, keys.UPLOADS) == keys.UPLOADS:
                    self._cursors[new] = end
                else:
                    self._cursors[new] = await self._begin(sources[new])
                    self._followed[new] = sources[new]
            except ResponseError as error:
                self._refuse(new, str(error))

    async def _refuse_no_streams(self) -> bool:
        """One key that is no stream fails the read of all: leave aside those that are none; whether there are any."""
        names = list(self._cursors)
        pipeline = self._clients.commands.pipeline(transaction=False)
        for key in names:
            pipeline.type(key)
        odd = [(k, kind) for k, kind in zip(names, await pipeline.execute(), strict=True) if kind not in _READABLE]
        for key, kind in odd:
            self._refuse(key, f"it is a {kind.decode()}")
        return bool(odd)

    def _refuse(self, key: str, reason: str) -> None:
        self._warn(key, "results cannot be read, left aside", reason)
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
        raise MalformedMessage("source: not the one whose stream this is")
    return outcome


async def _end(client: redis.asyncio.Redis, stream: str) -> bytes:
    """The id of the last entry. "$" would mean another place at each read, and lose what comes in between."""
    last: Any = await client.xrevrange(stream, count=1)
    return bytes(last[0][0]) if last else b"0-0"
