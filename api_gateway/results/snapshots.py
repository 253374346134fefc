"""Steady results in Redis: what a gateway that starts takes up, so that it goes on with the episodes that run."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import redis.asyncio
import structlog
from pydantic import TypeAdapter, ValidationError

from contract import keys
from contract.redis.lease import AsyncLease
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import SourceProcessor

logger = structlog.get_logger()
LEASE_TASK = "steady"
EVERY_SECONDS = 1.0
LIFE_SECONDS = 180
"""By then every episode has ended, and the results stream says all that is to be known."""


@dataclass(frozen=True)
class Snapshot:
    """The steady results of one source after a certain entry of its results stream."""

    cursor: str
    """The id of that entry."""
    steady: SourceProcessor
    v: Literal[2] = 2


_SNAPSHOT = TypeAdapter(Snapshot)


class Snapshots:
    """The snapshots of all sources; one gateway, by a lease, writes them about once a second.

    Args:
        client: for commands.
        steadiness: what a snapshot that was taken up goes on with.
        take: gives the snapshots as of now, by source.
    """

    def __init__(
        self, client: redis.asyncio.Redis, steadiness: SmoothingParameters, take: Callable[[], Mapping[str, Snapshot]]
    ) -> None:
        self._client = client
        self._lease = AsyncLease(client, LEASE_TASK)
        self._holds_lease = False
        self._steadiness = steadiness
        self._take = take
        self._written: dict[str, str] = {}
        """By source, the cursor of the last one."""

    async def load(self, source: str) -> Snapshot | None:
        """The last snapshot of a source; None if there is none, or none that this release can read."""
        if (written := await self._client.get(keys.snapshot(source))) is None:
            return None
        try:
            snapshot = _SNAPSHOT.validate_json(written)
        except ValidationError as error:
            logger.warning("a snapshot cannot be read", source=source, reason=error.errors()[0]["msg"])
            return None
        return replace(snapshot, steady=replace(snapshot.steady, parameters=self._steadiness))

    async def keep(self) -> None:
        """Take part in the choice of the gateway that writes, write if it is this one, and wait until the next time."""
        self._holds_lease = await self._lease.acquire_or_renew()
        if self._holds_lease:
            await self._write()
        await asyncio.sleep(EVERY_SECONDS)

    async def give_back(self) -> None:
        """Let another gateway write, at once."""
        if self._holds_lease:
            await self._lease.release()

    async def _write(self) -> None:
        snapshots = self._take()
        new = {name: one for name, one in snapshots.items() if one.cursor != self._written.get(name)}
        pipeline = self._client.pipeline(transaction=False)
        for name, snapshot in new.items():
            pipeline.set(keys.snapshot(name), _SNAPSHOT.dump_json(snapshot), ex=LIFE_SECONDS)
        await pipeline.execute()
        self._written = {name: one.cursor for name, one in snapshots.items()}
