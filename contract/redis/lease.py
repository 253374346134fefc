"""Leases: the right to a task that one process at a time may do. A lease is redis-py's lock, renewed by its holder."""

import time

import redis
import redis.asyncio
from redis.asyncio.lock import Lock as AsyncLock
from redis.exceptions import LockError, ResponseError
from redis.lock import Lock

from contract import keys
from contract.redis.broker import is_wrong_type

TTL_SECONDS = 6.0
"""A lease expires when its holder has not renewed it for this long."""
NO_EXPIRY = -1
"""The reply to PTTL for a key that never expires. No lease is such a key, and it would keep the task from everybody."""
LONGEST_MS = round(1000 * TTL_SECONDS) + 1000
"""A lease that expires later was set before Redis's clock was set back; its holder renews it, unless it has ended."""


class Lease:
    """The right to a task, for example to capture one source."""

    def __init__(self, client: redis.Redis, task: str) -> None:
        self._client = client
        self._left = _Left()
        self._lock = Lock(client, keys.lease(task), timeout=TTL_SECONDS, blocking=False, thread_local=False)

    def acquire_or_renew(self) -> bool:
        """Acquire or renew the lease; returns whether this process holds it now. Call it every second or two."""
        try:
            if self._lock.local.token is not None and self._lock.reacquire():
                return True
        except (LockError, ResponseError) as error:
            _check_lost(error)
            self._lock.local.token = None
        if self._lock.acquire():
            return True
        if self._left.is_left(self._client.pttl(self._lock.name)):
            self._client.delete(self._lock.name)
            return bool(self._lock.acquire())
        return False

    def release(self) -> None:
        """Release the lease, so that another process can acquire it at once."""
        try:
            self._lock.release()
        except (LockError, ResponseError) as error:
            _check_lost(error)
            self._lock.local.token = None


class AsyncLease:
    """As `Lease`, for asyncio."""

    def __init__(self, client: redis.asyncio.Redis, task: str) -> None:
        self._client = client
        self._left = _Left()
        self._lock = AsyncLock(client, keys.lease(task), timeout=TTL_SECONDS, blocking=False, thread_local=False)

    async def acquire_or_renew(self) -> bool:
        """Acquire or renew the lease; returns whether this process holds it now."""
        try:
            if self._lock.local.token is not None and await self._lock.reacquire():
                return True
        except (LockError, ResponseError) as error:
            _check_lost(error)
            self._lock.local.token = None
        if await self._lock.acquire():
            return True
        if self._left.is_left(await self._client.pttl(self._lock.name)):
            await self._client.delete(self._lock.name)
            return bool(await self._lock.acquire())
        return False

    async def release(self) -> None:
        """Release the lease, so that another process can acquire it at once."""
        try:
            await self._lock.release()
        except (LockError, ResponseError) as error:
            _check_lost(error)
            self._lock.local.token = None


class _Left:
    """Whether a lease that another process should hold was left by one that has ended."""

    def __init__(self) -> None:
        self._since: float | None = None
        """Since when it would expire too late."""

    def is_left(self, expires_ms: int) -> bool:
        """Whether it never expires, or later than any lease and no holder has renewed it for long."""
        if expires_ms <= LONGEST_MS:
            self._since = None
            return expires_ms == NO_EXPIRY
        self._since = self._since or time.monotonic()
        return time.monotonic() - self._since > TTL_SECONDS


def _check_lost(error: LockError | ResponseError) -> None:
    """Raise any error but those which mean that this process does not hold the lease."""
    if isinstance(error, ResponseError) and not is_wrong_type(error):
        raise error
