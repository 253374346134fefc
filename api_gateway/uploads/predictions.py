"""Single pictures: handed to the capture service through the inbox, and their outcomes gathered again."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import redis.asyncio

from api_gateway.errors import ApiError
from api_gateway.sources.registry import Registry
from contract import keys
from contract.errors import MalformedMessage
from contract.messages import Dead, FrameDone, FrameId, InboxPicture, Manifest, Outcome, Reading
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock

INBOX_LIMIT = 64
"""Pictures that may wait in the inbox: more would only time out there, and fill Redis meanwhile."""
BYTES_LIMIT = 64_000_000
"""Of all pictures that this gateway has under way, which all stand in Redis's memory; a single one may be larger."""


@dataclass
class _Pending:
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    frame: FrameDone | None = None
    readings: dict[int, Reading] = field(default_factory=dict)
    """By face."""
    dead: str = ""
    """Why one of its faces could not be classified."""


class Predictions:
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
        self._bytes = 0

    def process(self, outcome: Outcome) -> None:
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

    def dead_letter(self, dead: Dead) -> None:
        """A face of an upload was given up: its picture has no complete answer any more."""
        try:
            pending = self._pending.get(FrameId.read(dead.original).epoch)
        except MalformedMessage:
            return  # it does not say whose face it was
        if pending:
            pending.dead = dead.reason
            pending.complete.set()

    async def predict(self, picture: bytes) -> tuple[FrameDone, list[Reading]]:
        """Have a picture looked at: its size, and a reading of each face in the order of the detector.

        Raises:
            ApiError: nobody is there to do it, too many others are under way, it takes too long, it is no picture, or
                one of its faces cannot be classified.
            BrokerUnavailable: Redis cannot be reached.
        """
        self._check_somebody_is_there()
        if self._bytes and self._bytes + len(picture) > BYTES_LIMIT:
            raise _busy()
        epoch = uuid.uuid4().hex
        pending = self._pending[epoch] = _Pending()
        self._bytes += len(picture)
        try:
            with outages_named():
                await self._have_looked_at(epoch, picture, pending)
        finally:
            del self._pending[epoch]
            self._bytes -= len(picture)
        return _checked(pending)

    async def _have_looked_at(self, epoch: str, picture: bytes, pending: _Pending) -> None:
        entry = await self._hand_in(epoch, picture)
        seconds = self._timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                await pending.complete.wait()
        except TimeoutError:
            # Nobody waits for it now; it would only take room in Redis.
            await self._client.xdel(keys.inbox(keys.UPLOADS), entry)
            raise ApiError(504, "timeout", f"no result within {seconds:g} s") from None

    async def _hand_in(self, epoch: str, picture: bytes) -> bytes:
        if await self._client.xlen(keys.inbox(keys.UPLOADS)) >= INBOX_LIMIT:
            raise _busy()
        now_ms = self._clock.now_ms()
        deadline_ms = now_ms + round(self._timeout.total_seconds() * 1000)
        entry: dict[Any, Any] = InboxPicture(epoch, 0, now_ms, deadline_ms, picture).fields()
        stored: bytes = await self._client.xadd(keys.inbox(keys.UPLOADS), entry)  # type: ignore[assignment]
        return stored

    def _check_somebody_is_there(self) -> None:
        if not self._registry.reachable:
            raise ApiError(503, "redis_unavailable", "Redis cannot be reached now; try again soon")
        states = {status.name: status.state for status in self._registry.sources()}
        if states.get(keys.UPLOADS) != "ONLINE":
            raise ApiError(503, "no_capture", "no capture service takes pictures now")
        if not self._registry.workers():
            raise ApiError(503, "no_worker", "no inference worker is running now")


def _busy() -> ApiError:
    return ApiError(503, "busy", "too many pictures are waiting; try again soon")


def _checked(pending: _Pending) -> tuple[FrameDone, list[Reading]]:
    frame = pending.frame
    if pending.dead:
        raise ApiError(422, "unclassifiable_face", f"a face of the picture cannot be classified: {pending.dead}")
    if frame is None:
        raise RuntimeError("a picture is complete without its frame")
    if frame.note:
        raise ApiError(422, "unreadable_picture", frame.note)
    readings = [pending.readings[index] for index in sorted(pending.readings)]
    if any(reading.stale for reading in readings):
        raise ApiError(504, "timeout", "the workers are too busy to look at the picture in time")
    return frame, readings
