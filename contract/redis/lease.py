"""A task that only one process may have at a time: redis-py's lock, taken and kept by asking again and again."""

import redis
import redis.asyncio
from redis.asyncio.lock import Lock as AsyncLock
from redis.exceptions import LockError
from redis.lock import Lock

from contract import keys

LIFE_SECONDS = 6.0
"""A lease ends by itself when its holder has not asked for this long."""


class Lease:
    """The right to a task, for example to capture one source."""

    def __init__(self, client: redis.Redis, task: str) -> None:
        self._lock = Lock(client, keys.lease(task), timeout=LIFE_SECONDS, blocking=False, thread_local=False)

    def acquire_or_renew(self) -> bool:
        """Take the lease or keep it; whether it is ours now. Call it every second or two."""
        try:
            if self._lock.local.token is not None and self._lock.reacquire():
                return True
        except LockError:
            self._lock.local.token = None
        return bool(self._lock.acquire())

    def is_held(self) -> bool:
        """Whether anybody has the task now."""
        return bool(self._lock.locked())

    def release(self) -> None:
        """Let another process have the task at once."""
        try:
            self._lock.release()
        except LockError:
            self._lock.local.token = None


class AsyncLease:
    """As `Lease`, for asyncio."""

    def __init__(self, client: redis.asyncio.Redis, task: str) -> None:
        self._lock = AsyncLock(client, keys.lease(task), timeout=LIFE_SECONDS, blocking=False, thread_local=False)

    async def acquire_or_renew(self) -> bool:
        """Take the lease or keep it; whether it is ours now."""
        try:
            if self._lock.local.token is not None and await self._lock.reacquire():
                return True
        except LockError:
            self._lock.local.token = None
        return bool(await self._lock.acquire())

    async def release(self) -> None:
        """Let another process have the task at once."""
        try:
            await self._lock.release()
        except LockError:
            self._lock.local.token = None
