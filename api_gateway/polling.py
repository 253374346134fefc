"""The life of the readers: one turn after the other, and patience while Redis is away."""

import asyncio
from collections.abc import Awaitable, Callable

from redis.exceptions import ResponseError

from contract.errors import BrokerUnavailable
from contract.redis.broker import Backoff, outages_named
from contract.redis.outage import OutageLog

LONGEST_PAUSE_SECONDS = 2.0
"""A page is waiting, so an outage should not outlast Redis's own by more."""


class PollingSupervisor:
    """Runs all readers of a gateway; an outage that meets several of them is one warning and one line at its end."""

    def __init__(self) -> None:
        self._outages = OutageLog()

    async def keep_turning(self, reader: str, turn: Callable[[], Awaitable[None]]) -> None:
        """Call `turn` for ever, with growing pauses during an outage. Errors that are no outage pass."""
        backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            try:
                with outages_named():
                    await turn()
            except (BrokerUnavailable, ResponseError) as error:  # the latter: a key of another type, a missing right
                self._outages.failed(error, reader)
                await asyncio.sleep(backoff.next())
            else:
                self._outages.recovered(reader)
                backoff.reset()
