"""Reading the results of every source, with a cursor of our own: other gateways read the same."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import redis.asyncio
import structlog

from contract import keys
from contract.broker import BLOCK_MS, AsyncClients
from contract.errors import MalformedMessage
from contract.messages import Outcome, read_outcome

logger = structlog.get_logger()
AT_A_TIME = 100
"""Few, since taking them in holds up everything else on the loop; a job in full run brings thousands a second."""


class Results:
    """The results streams of all sources, from now on.

    Args:
        clients: of this process.
        sources: tells the names of the sources that there are.
        take: called with each outcome, in the order of its stream.
    """

    def __init__(
        self, clients: AsyncClients, sources: Callable[[], Iterable[str]], take: Callable[[Outcome], None]
    ) -> None:
        self._clients = clients
        self._sources = sources
        self._take = take
        self._cursors: dict[str, bytes] = {}
        self._burying: set[str] = set()

    async def read(self) -> None:
        """Wait for outcomes, at most half a second, and hand them on."""
        await self._follow_sources()
        if not self._cursors:
            await asyncio.sleep(BLOCK_MS / 1000)
            return
        streams: dict[Any, Any] = {keys.results(source): cursor for source, cursor in self._cursors.items()}
        replies: Any = await self._clients.blocking.xread(streams, count=AT_A_TIME, block=BLOCK_MS)
        by_key = {keys.results(source).encode(): source for source in self._cursors}
        for key, entries in replies or []:
            source = by_key[key]
            for entry, fields in entries:
                self._cursors[source] = entry
                self._hand_on(source, fields)

    def _hand_on(self, source: str, fields: dict[bytes, bytes]) -> None:
        try:
            outcome = read_outcome(fields)
        except MalformedMessage as error:
            if source not in self._burying:  # the stream is the workers'; nothing here could bury what is in it
                logger.warning("malformed result passed over", source=source, error=str(error))
                self._burying.add(source)
            return
        self._take(outcome)

    async def _follow_sources(self) -> None:
        names = set(self._sources())
        for gone in self._cursors.keys() - names:
            del self._cursors[gone]
        for new in sorted(names - self._cursors.keys()):
            self._cursors[new] = await _end(self._clients.commands, keys.results(new))


async def _end(client: redis.asyncio.Redis, stream: str) -> bytes:
    """The id of the last entry. "$" would mean another place at each read, and lose what comes in between."""
    last: Any = await client.xrevrange(stream, count=1)
    return bytes(last[0][0]) if last else b"0-0"
