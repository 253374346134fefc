"""Single pictures: handed to the capture service through the inbox, and their outcomes gathered again."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import redis.asyncio

from api_gateway.errors import ApiError
from api_gateway.registry import Registry
from contract import keys
from contract.broker import outages_named
from contract.clock import RedisClock
from contract.messages import FrameDone, InboxPicture, Manifest, Outcome, Reading

INBOX_LIMIT = 64
"""Pictures that may wait in the inbox: more would only time out there, and fill Redis meanwhile."""


@dataclass
class _Pending:
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    frame: FrameDone | None = None
    readings: dict[int, Reading] = field(default_factory=dict)
    """By face."""


class Uploads:
    """The pictures that are on their way.

    Args:
        client: for commands.
        timeout: the longest that a picture may take.
    """

    def __init__(self, client: redis.asyncio.Redis, registry: Registry, clock: RedisClock, timeout: timedelta) -> None:
        self._client = client
        self._registry = registry
        self._clock = clock
        self._timeout = timeout
        self._pending: dict[str, _Pending] = {}

    def take(self, outcome: Outcome) -> None:
        """An outcome of the source `uploads`; those of other gateways' pictures are passed over."""
        pending = self._pending.get(outcome.id.epoch)
        if pending is None or isinstance(outcome, Manifest):
            return
        if isinstance(outcome, FrameDone):
            pending.frame = outcome
        else:
            pending.readings[outcome.face.index] = outcome
        if pending.frame and len(pending.readings) >= pending.frame.faces:
            pending.complete.set()

    async def predict(self, picture: bytes) -> tuple[FrameDone, list[Reading]]:
        """Have a picture looked at: its size, and a reading of each face in the order of the detector.

        Raises:
            ApiError: nobody is there to do it, it takes too long, or it is no picture.
            BrokerUnavailable: Redis cannot be reached.
        """
        self._check_somebody_is_there()
        epoch = uuid.uuid4().hex
        pending = self._pending[epoch] = _Pending()
        try:
            with outages_named():
                await self._hand_in(epoch, picture)
            async with asyncio.timeout(self._timeout.total_seconds()):
                await pending.complete.wait()
        except TimeoutError:
            raise ApiError(504, "timeout", f"no result within {self._timeout.total_seconds():g} s") from None
        finally:
            del self._pending[epoch]
        return _checked(pending)

    async def _hand_in(self, epoch: str, picture: bytes) -> None:
        if await self._client.xlen(keys.inbox(keys.UPLOADS)) >= INBOX_LIMIT:
            raise ApiError(503, "busy", "too many pictures are waiting; try again soon")
        now_ms = self._clock.now_ms()
        deadline_ms = now_ms + round(self._timeout.total_seconds() * 1000)
        entry: dict[Any, Any] = InboxPicture(epoch, 0, now_ms, deadline_ms, picture).fields()
        await self._client.xadd(keys.inbox(keys.UPLOADS), entry)

    def _check_somebody_is_there(self) -> None:
        if not self._registry.reachable:
            raise ApiError(503, "redis_unavailable", "Redis cannot be reached now; try again soon")
        states = {status.name: status.state for status in self._registry.sources()}
        if states.get(keys.UPLOADS) != "ONLINE":
            raise ApiError(503, "no_capture", "no capture service takes pictures now")
        if not self._registry.workers():
            raise ApiError(503, "no_worker", "no inference worker is running now")


def _checked(pending: _Pending) -> tuple[FrameDone, list[Reading]]:
    frame = pending.frame
    if frame is None:
        raise RuntimeError("a picture is complete without its frame")
    if frame.note:
        raise ApiError(422, "unreadable_picture", frame.note)
    readings = [pending.readings[index] for index in sorted(pending.readings)]
    if any(reading.stale for reading in readings):
        raise ApiError(504, "timeout", "the workers are too busy to look at the picture in time")
    return frame, readings
