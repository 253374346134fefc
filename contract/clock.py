"""One clock for every process: Redis's. Ages are never measured host against host."""

import time
from collections.abc import Callable

import redis
import redis.asyncio

REFRESH_SECONDS = 30.0
JUMP_SECONDS = 0.5
"""The host's wall clock never drifts from its monotonic one by so much: it was set, or the host was suspended."""


class RedisClock:
    """Milliseconds of Redis's wall clock, carried on by this host's monotonic clock between looks at it.

    Args:
        wall: seconds of this host's wall clock.
        monotonic: seconds of the clock that is never set; on Linux it stands still while the host is suspended.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = self._host_offset = wall() - monotonic()
        self._looked: float | None = None

    def now_ms(self) -> int:
        """Now, in Redis's time (this host's, until the first look)."""
        return int((self._monotonic() + self._offset) * 1000)

    def refresh(self, client: redis.Redis) -> None:
        """Look at Redis's clock, unless that was done within the last 30 s and the host was not suspended since."""
        if self._due():
            sent = self._monotonic()
            self._set(client.time(), sent)

    async def refresh_async(self, client: redis.asyncio.Redis) -> None:
        """As `refresh`, for asyncio."""
        if self._due():
            sent = self._monotonic()
            self._set(await client.time(), sent)

    def _due(self) -> bool:
        if self._looked is None or self._monotonic() - self._looked > REFRESH_SECONDS:
            return True
        return abs(self._wall() - self._monotonic() - self._host_offset) > JUMP_SECONDS

    def _set(self, reply: tuple[int, int], sent: float) -> None:
        self._looked = self._monotonic()
        self._host_offset = self._wall() - self._looked
        seconds, microseconds = reply
        # The answer was true about half way between asking and hearing.
        self._offset = seconds + microseconds / 1e6 - (sent + self._looked) / 2
