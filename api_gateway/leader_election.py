"""The election of the one gateway that does a task which all of them could do."""

import asyncio

import structlog

from contract.redis.lease import AsyncLease

logger = structlog.get_logger()


class LeaderElection:
    """Whether this gateway is the leader of a task.

    Args:
        lease: of the task.
        task: what the leader does, for the log.
    """

    def __init__(self, lease: AsyncLease, task: str) -> None:
        self._lease = lease
        self._task = task
        self.is_leader = False

    async def campaign(self, *, candidate: bool = True) -> bool:
        """Become the leader where there is none, or stay it; returns whether this gateway is the leader now.

        Call it about once a second. A gateway that is no `candidate` now lets its lease expire.

        Raises:
            redis.RedisError: Redis is unreachable; this gateway is not the leader until the next call.
        """
        elected = False
        try:
            elected = candidate and await self._lease.acquire_or_renew()
        except asyncio.CancelledError:
            elected = self.is_leader  # the gateway ends, and `resign` has to release the lease
            raise
        finally:
            if elected != self.is_leader:
                logger.info("leader elected" if elected else "leadership lost", task=self._task)
            self.is_leader = elected
        return elected

    async def resign(self) -> None:
        """Let another gateway become the leader at once."""
        if self.is_leader:
            self.is_leader = False
            await self._lease.release()
