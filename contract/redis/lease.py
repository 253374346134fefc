"""Leases: the right to a task that one process at a time may do. A lease is redis-py's lock, renewed by its holder."""

import redis
import redis.asyncio
from redis.asyncio.lock import Lock as AsyncLock
from redis.exceptions import LockError
from redis.lock import Lock

from contract import keys

TTL_SECONDS = 6.0
"""A lease expires when its holder has not renewed it for this long."""


class Lease:
    """The right to a task, for example to capture one source."""

    def __init__(self, client: redis.Redis, task: str) -> None:
        self._lock = Lock(client, keys.lease(task), timeout=TTL_SECONDS, blocking=False, thread_local=False)

    def acquire_or_renew(self) -> bool:
        """Acquire or renew the lease; returns whether this process holds it now. Call it every second or two."""
        try:
            if self._lock.local.token is not None and self._lock.reacquire():
                return True
        except LockError:
            self._lock.local.token = None
        return bool(self._lock.acquire())

    def release(self) -> None:
        """Release the lease, so that another process can acquire it at once."""
        try:
            self._lock.release()
        except LockError:
            self._lock.local.token = None


class AsyncLease:
    """As `Lease`, for asyncio."""

    def __init__(self, client: redis.asyncio.Redis, task: str) -> None:
        self._lock = AsyncLock(client, keys.lease(task), timeout=TTL_SECONDS, blocking=False, thread_local=False)

    async def acquire_or_renew(self) -> bool:
        """Acquire or renew the lease; returns whether this process holds it now."""
        try:
            if self._lock.local.token is not None and await self._lock.reacquire():
                return True
        except LockError:
            self._lock.local.token = None
        return bool(await self._lock.acquire())

    async def release(self) -> None:
        """Release the lease, so that another process can acquire it at once."""
        try:
            await self._lock.release()
        except LockError:
            self._lock.local.token = None
