"""Writes frames to a crops stream: all faces of a frame or none, and none of them twice.

The producer chooses the ids, so that a frame which is sent again after an outage is not stored twice: where Redis
responds that an id is not above the last one, the frame has been stored already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import ResponseError

from contract import keys
from contract.messages import CropEntry
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock

_NOT_ABOVE = "equal or smaller"
"""Part of the error of Redis and Valkey for an id that is not above the last one of the stream."""


@dataclass
class Batch:
    """Entries that are stored together; they keep their ids however often they are sent."""

    entries: Sequence[CropEntry]
    ms: int = 0
    """The first part of their ids; 0 until first sent."""


class CropPublisher:
    """Writes the crops stream of one source.

    Args:
        client: for commands.
        source: whose crops.
        clock: the source of the ids.
        ttl_seconds: after how long the stream expires when no batch comes and nothing renews it; None: never.
    """

    def __init__(self, client: redis.Redis, source: str, clock: RedisClock, ttl_seconds: int | None = None) -> None:
        self._client = client
        self._crops = keys.crops(source)
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._last_ms: int | None = None
        self._length: int | None = None
        """The length of the stream as last returned; only this process adds to it, so it is not longer now."""

    def backlog(self) -> int:
        """Entries that no worker has finished.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            return int(self._client.xlen(self._crops))

    def has_room(self, limit: int) -> bool:
        """Whether at most `limit` entries wait for workers; Redis is queried only if the last known length is above it.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        if self._length is None or self._length > limit:
            self._length = self.backlog()
        return self._length <= limit

    def send(self, batch: Batch) -> None:
        """Store a batch, unless an earlier call that seemed to fail has done so.

        Raises:
            BrokerUnavailable: it is unknown whether the batch was stored; send it again or drop it.
        """
        with outages_named():
            if self._last_ms is None:
                self._last_ms = self._last_generated()[0]
            again = batch.ms > 0
            try:
                self._store(batch)
            except ResponseError as error:
                if _NOT_ABOVE not in str(error):
                    raise
                self._settle(batch, again)

    def _settle(self, batch: Batch, again: bool) -> None:
        """Redis has this id or a higher one: the batch is stored, or another process with a clock ahead wrote one."""
        last = self._last_generated()
        # The client itself may have sent it twice, so that a first call does not mean a first arrival.
        if again or last == (batch.ms, len(batch.entries) - 1):
            return
        self._last_ms, batch.ms = last[0], 0
        self._store(batch)

    def _store(self, batch: Batch) -> None:
        self._clock.refresh(self._client)
        if not batch.ms:
            batch.ms = self._last_ms = max(self._clock.now_ms(), (self._last_ms or 0) + 1)
        pipeline = self._client.pipeline(transaction=True)
        for number, entry in enumerate(batch.entries):
            pipeline.xadd(self._crops, dict[Any, Any](entry.fields()), id=f"{batch.ms}-{number}")
        if self._ttl_seconds is not None:
            pipeline.expire(self._crops, self._ttl_seconds)
        pipeline.xlen(self._crops)
        self._length = int(pipeline.execute()[-1])

    def _last_generated(self) -> tuple[int, int]:
        try:
            last = self._client.xinfo_stream(self._crops)["last-generated-id"]
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            return 0, 0
        ms, _, number = last.partition(b"-")
        return int(ms), int(number)
