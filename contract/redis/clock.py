"""One clock for every process: Redis's. A latency is never the difference of the clocks of two hosts."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import redis.asyncio

REFRESH_SECONDS = 2.0
"""Short, since Redis's clock may be set, too: until then latencies and ages are wrong by as much."""
JUMP_SECONDS = 0.5
"""The wall clock of a host never drifts this far from its monotonic clock: it was set, or the host was suspended."""

QUICK_SECONDS = 0.003
MOST_SAMPLES = 5
"""The error of a sample is at most half its round trip. On a busy host samples are repeated, at most so often, until
one is quick."""


@dataclass(frozen=True)
class _Sample:
    """One reply of Redis to TIME, and when this host sent the request and received the reply, in seconds."""

    reply: tuple[int, int]
    sent: float
    received: float

    @property
    def round_trip(self) -> float:
        return self.received - self.sent


class RedisClock:
    """Milliseconds of Redis's wall clock; between requests to Redis this host's monotonic clock counts on.

    Args:
        wall: returns seconds of this host's wall clock.
        monotonic: returns seconds of a clock that is never set; on Linux it stands still while the host is suspended.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = self._host_offset = wall() - monotonic()
        self._refreshed: float | None = None

    def now_ms(self) -> int:
        """Now, in Redis's time (in this host's until the first refresh)."""
        return int((self._monotonic() + self._offset) * 1000)

    def refresh(self, client: redis.Redis) -> None:
        """Read Redis's clock, if the last reading is older than `REFRESH_SECONDS` or the host was suspended since."""
        if self._due():
            samples: list[_Sample] = []
            while not _enough(samples):
                sent = self._monotonic()
                samples.append(_Sample(client.time(), sent, self._monotonic()))
            self._set(samples)

    async def refresh_async(self, client: redis.asyncio.Redis, *, now: bool = False) -> None:
        """As `refresh`, for asyncio; `now`: in any case, since Redis's clock was set."""
        if now or self._due():
            samples: list[_Sample] = []
            while not _enough(samples):
                sent = self._monotonic()
                samples.append(_Sample(await client.time(), sent, self._monotonic()))
            self._set(samples)

    def _due(self) -> bool:
        if self._refreshed is None or self._monotonic() - self._refreshed > REFRESH_SECONDS:
            return True
        return abs(self._wall() - self._monotonic() - self._host_offset) > JUMP_SECONDS

    def _set(self, samples: list[_Sample]) -> None:
        self._refreshed = self._monotonic()
        self._host_offset = self._wall() - self._refreshed
        best = min(samples, key=lambda sample: sample.round_trip)
        seconds, microseconds = best.reply
        # The reply was true about half way between sending and receiving.
        self._offset = seconds + microseconds / 1e6 - (best.sent + best.received) / 2


def _enough(samples: list[_Sample]) -> bool:
    return len(samples) == MOST_SAMPLES or any(sample.round_trip <= QUICK_SECONDS for sample in samples)
