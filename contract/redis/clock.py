"""One clock for every process: Redis's. Ages are never measured host against host."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import redis.asyncio

REFRESH_SECONDS = 30.0
JUMP_SECONDS = 0.5
"""The host's wall clock never drifts from its monotonic one by so much: it was set, or the host was suspended."""


QUICK_SECONDS = 0.003
MOST_LOOKS = 5
"""A look may be wrong by half of what it took; one that was not quick, on a host that is busy, is repeated so often."""


@dataclass(frozen=True)
class _Look:
    """One answer of Redis, and when by this host it was asked for and came, in seconds."""

    reply: tuple[int, int]
    sent: float
    came: float

    @property
    def took(self) -> float:
        return self.came - self.sent


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
            looks: list[_Look] = []
            while not _enough(looks):
                sent = self._monotonic()
                looks.append(_Look(client.time(), sent, self._monotonic()))
            self._set(looks)

    async def refresh_async(self, client: redis.asyncio.Redis) -> None:
        """As `refresh`, for asyncio."""
        if self._due():
            looks: list[_Look] = []
            while not _enough(looks):
                sent = self._monotonic()
                looks.append(_Look(await client.time(), sent, self._monotonic()))
            self._set(looks)

    def _due(self) -> bool:
        if self._looked is None or self._monotonic() - self._looked > REFRESH_SECONDS:
            return True
        return abs(self._wall() - self._monotonic() - self._host_offset) > JUMP_SECONDS

    def _set(self, looks: list[_Look]) -> None:
        self._looked = self._monotonic()
        self._host_offset = self._wall() - self._looked
        best = min(looks, key=lambda look: look.took)
        seconds, microseconds = best.reply
        # The answer was true about half way between asking and hearing.
        self._offset = seconds + microseconds / 1e6 - (best.sent + best.came) / 2


def _enough(looks: list[_Look]) -> bool:
    return len(looks) == MOST_LOOKS or any(look.took <= QUICK_SECONDS for look in looks)
