"""Outages of Redis: one way to log them, one way to retry through them."""

from collections.abc import Callable
from threading import Event

import structlog
from redis.exceptions import ResponseError

from contract.errors import BrokerUnavailable, reason_of
from contract.redis.broker import Backoff

logger = structlog.get_logger(__name__)


class OutageLog:
    """Logs an outage in two lines, however long it lasts and however many parts of a process notice it."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

    @property
    def lasts(self) -> bool:
        """Whether any part waits for Redis now."""
        return bool(self._failing)

    def failed(self, error: BrokerUnavailable | ResponseError, part: str = "") -> None:
        """Redis is unreachable for `part` of the process, or refuses its commands; the first failure is logged."""
        if not self._failing:
            logger.warning("redis unavailable, retrying", error=reason_of(error), **({"part": part} if part else {}))
        self._failing.add(part)

    def recovered(self, part: str = "") -> None:
        """Redis served `part` of the process; the recovery is logged when no part fails any more."""
        if part in self._failing:
            self._failing.discard(part)
            if not self._failing:
                logger.warning("redis available again")  # at the level of the outage, so that both are seen


def retry_until_stored(
    write: Callable[[], object],
    stop: Event,
    outages: OutageLog,
    *,
    permitted: Callable[[], bool] = lambda: True,
    longest_pause_seconds: float = 1.0,
) -> bool:
    """Call `write` again and again until Redis has served it.

    Args:
        write: stores something; it may be called after an attempt that was stored, so it must be idempotent.
        stop: ends the retries.
        outages: logs the outage.
        permitted: whether this process may still write, for example because it holds a lease; checked before each
            attempt.
        longest_pause_seconds: between two attempts.

    Returns:
        Whether it was stored; False where `stop` or the end of the permission came first.
    """
    backoff = Backoff(longest_seconds=longest_pause_seconds)
    while not stop.is_set() and permitted():
        try:
            write()
        except BrokerUnavailable as error:
            outages.failed(error)
            stop.wait(backoff.next())
        else:
            outages.recovered()
            return True
    return False
