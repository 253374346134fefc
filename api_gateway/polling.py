"""Tasks that run as long as the gateway: polls at an interval, and pauses while Redis is unavailable."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from redis.exceptions import ResponseError

from contract.errors import BrokerUnavailable
from contract.redis.broker import Backoff, outages_named
from contract.redis.outage import OutageLog

LONGEST_PAUSE_SECONDS = 2.0
"""Somebody looks at the page, so the gateway retries at least this often during an outage."""
NO_PAUSE = timedelta(0)
"""For polls that wait for something themselves."""

Poll = Callable[[], Awaitable[object]]


async def every(interval: timedelta, poll: Poll) -> None:
    """Call `poll` until cancelled, with a pause of `interval` before each call."""
    while True:
        await asyncio.sleep(interval.total_seconds())
        await poll()


class PollingSupervisor:
    """Runs the polls of a gateway that need Redis; an outage that stops several of them is logged once."""

    def __init__(self) -> None:
        self._outages = OutageLog()

    async def every(self, interval: timedelta, part: str, poll: Poll) -> None:
        """Call `poll` at once and again until cancelled, during an outage with growing pauses. Other errors propagate.

        Args:
            interval: the pause after a call that succeeded.
            part: of the gateway, for the log.
            poll: uses Redis.
        """
        backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        while True:
            try:
                with outages_named():
                    await poll()
            except (BrokerUnavailable, ResponseError) as error:  # the latter: a key of another type, a missing right
                self._outages.failed(error, part)
                await asyncio.sleep(backoff.next())
            else:
                self._outages.recovered(part)
                backoff.reset()
                await asyncio.sleep(interval.total_seconds())
