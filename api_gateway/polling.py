"""The life of the readers: one turn after the other, and patience while Redis is away."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from redis.exceptions import ResponseError

from contract.broker import Backoff, outages_named
from contract.errors import BrokerUnavailable

logger = structlog.get_logger()
LONGEST_PAUSE_SECONDS = 2.0
"""A page is waiting, so an outage should not outlast Redis's own by more."""


class PollingSupervisor:
    """Runs all readers of a gateway; an outage that meets several of them is one warning and one line at its end."""

    def __init__(self) -> None:
        self._away: set[str] = set()

    async def keep_turning(self, reader: str, turn: Callable[[], Awaitable[None]]) -> None:
        """Call `turn` for ever, with growing pauses during an outage. Errors that are no outage pass."""
        backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            try:
                with outages_named():
                    await turn()
            except (BrokerUnavailable, ResponseError) as error:  # the latter: a key of another type, a missing right
                if not self._away:
                    logger.warning("redis cannot serve, retrying", reader=reader, error=str(error))
                self._away.add(reader)
                await asyncio.sleep(backoff.next())
            else:
                if reader in self._away:
                    self._away.discard(reader)
                    if not self._away:
                        logger.warning("redis serves again")  # as loud as the outage, so that nobody is left in doubt
                backoff.reset()
