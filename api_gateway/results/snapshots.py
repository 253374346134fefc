"""Snapshots of the smoothed results in Redis: a gateway that starts resumes from them, running episodes included."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import redis.asyncio
import structlog
from pydantic import Field, TypeAdapter, ValidationError
from redis.exceptions import ResponseError

from api_gateway.leader_election import LeaderElection
from contract import keys
from contract.redis.broker import is_wrong_type
from contract.redis.lease import AsyncLease
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import SourceProcessor

logger = structlog.get_logger()
LEASE_TASK = "steady"
LONGEST_SNAPSHOT = 4 * 1024 * 1024
TTL_SECONDS = 180
"""By then every episode has ended, and the results stream holds all that matters."""


@dataclass(frozen=True)
class Snapshot:
    """The state of one source after a certain entry of its results stream."""

    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,14}-[0-9]{1,19}$")]
    """The id of that entry."""
    state: SourceProcessor
    v: Literal[3] = 3


_SNAPSHOT = TypeAdapter(Snapshot)


class Snapshots:
    """The snapshots of all sources; one gateway, by a lease, writes them about once a second.

    Args:
        client: for commands.
        parameters: with which a source goes on from its snapshot.
        take: returns the snapshots as of now, by source.
    """

    def __init__(
        self, client: redis.asyncio.Redis, parameters: SmoothingParameters, take: Callable[[], Mapping[str, Snapshot]]
    ) -> None:
        self._client = client
        self.election = LeaderElection(AsyncLease(client, LEASE_TASK), "snapshots of smoothed results")
        self._parameters = parameters
        self._take = take
        self._written: dict[str, str] = {}
        """By source, the cursor of its last snapshot."""

    async def load(self, source: str) -> Snapshot | None:
        """The last snapshot of a source; None if there is none, or none that this release can read."""
        try:
            written = await self._client.get(keys.snapshot(source))
            if written is None:
                return None
            if len(written) > LONGEST_SNAPSHOT:
                raise ValueError(f"longer than {LONGEST_SNAPSHOT} bytes")
            snapshot = _SNAPSHOT.validate_json(written)
        except (ValueError, ResponseError) as error:
            if isinstance(error, ResponseError) and not is_wrong_type(error):
                raise
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            logger.warning("unreadable snapshot ignored", source=source, reason=reason)
            return None
        return replace(snapshot, state=replace(snapshot.state, parameters=self._parameters))

    async def poll(self) -> None:
        """Take part in the election of the gateway that writes; write if it is this one.

        Raises:
            redis.RedisError: Redis is unreachable.
        """
        if await self.election.campaign():
            await self._write()

    async def _write(self) -> None:
        snapshots = self._take()
        new = {name: one for name, one in snapshots.items() if one.cursor != self._written.get(name)}
        pipeline = self._client.pipeline(transaction=False)
        for name, snapshot in new.items():
            pipeline.set(keys.snapshot(name), _SNAPSHOT.dump_json(snapshot), ex=TTL_SECONDS)
        await pipeline.execute()
        self._written = {name: one.cursor for name, one in snapshots.items()}
