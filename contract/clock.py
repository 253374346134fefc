"""One clock for every process: Redis's. Ages are never measured host against host."""

import time

import redis
import redis.asyncio

REFRESH_SECONDS = 30.0


class RedisClock:
    """Milliseconds of Redis's wall clock, carried on by this host's monotonic clock between looks at it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._looked: float | None = None

    def now_ms(self) -> int:
        """Now, in Redis's time (this host's, until the first look)."""
        return int((time.monotonic() + self._offset) * 1000)

    def refresh(self, client: redis.Redis) -> None:
        """Look at Redis's clock, unless that was done within the last 30 s."""
        if self._due():
            sent = time.monotonic()
            self._set(client.time(), sent)

    async def refresh_async(self, client: redis.asyncio.Redis) -> None:
        """As `refresh`, for asyncio."""
        if self._due():
            sent = time.monotonic()
            self._set(await client.time(), sent)

    def _due(self) -> bool:
        return self._looked is None or time.monotonic() - self._looked > REFRESH_SECONDS

    def _set(self, reply: tuple[int, int], sent: float) -> None:
        self._looked = time.monotonic()
        seconds, microseconds = reply
        # The answer was true about half way between asking and hearing.
        self._offset = seconds + microseconds / 1e6 - (sent + self._looked) / 2
