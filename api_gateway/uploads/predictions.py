"""Predictions: submits single pictures to the capture service through its inbox, and collects their outcomes."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import redis.asyncio

from api_gateway.sources.registry import Registry
from api_gateway.uploads.errors import (
    NoCapture,
    NoWorker,
    PredictionTimeout,
    TooManyUploads,
    UnclassifiableFace,
    UnreadablePicture,
)
from contract import keys
from contract.errors import BrokerUnavailable, MalformedMessage
from contract.messages import Dead, FrameDone, FrameId, InboxPicture, Manifest, Outcome, Reading
from contract.messages.inbox import LOADING
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock

INBOX_LIMIT = 64
"""Pictures that may wait in the inbox: more would time out there, and fill Redis until then."""
POLL_SECONDS = 0.25
LOADING_SECONDS = 60.0
"""How long the deadline of a picture is deferred at most while the capture service loads what decodes it."""
BYTES_LIMIT = 64_000_000
"""Of all pending pictures of this gateway, which are all in Redis's memory; a single picture may be larger."""


@dataclass
class _Pending:
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    frame: FrameDone | None = None
    readings: dict[int, Reading] = field(default_factory=dict)
    """By face."""
    failure: str = ""
    """Why one of its faces could not be classified."""


class Predictions:
    """The pending pictures.

    Args:
        client: for commands.
        registry: of sources and workers.
        clock: Redis's.
        timeout: deadline of a picture; it begins when the capture service can decode pictures.
    """

    def __init__(self, client: redis.asyncio.Redis, registry: Registry, clock: RedisClock, timeout: timedelta) -> None:
        self._client = client
        self._registry = registry
        self._clock = clock
        self._timeout = timeout
        self._pending: dict[str, _Pending] = {}
        self._bytes = 0

    def process(self, outcome: Outcome) -> None:
        """Process an outcome of the source `uploads`; those of other gateways' pictures are ignored."""
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
        """Fail the picture of a face that a worker has dead-lettered: its result cannot be complete any more."""
        try:
            pending = self._pending.get(FrameId.read(dead.original).epoch)
        except MalformedMessage:
            return  # it does not identify its picture
        if pending:
            pending.failure = dead.reason
            pending.complete.set()

    async def predict(self, picture: bytes) -> tuple[FrameDone, list[Reading]]:
        """Classify the faces of a picture.

        Args:
            picture: the encoded picture.

        Returns:
            The frame, which holds the picture's size, and a reading of each face in the order of the detector.

        Raises:
            NoCapture, NoWorker: the service that is needed does not run.
            TooManyUploads: too many pictures wait.
            PredictionTimeout: there is no result by the deadline.
            UnreadablePicture: it is no picture.
            UnclassifiableFace: the model fails on one of its faces.
            BrokerUnavailable: Redis cannot be reached.
        """
        self._check_services()
        if self._bytes and self._bytes + len(picture) > BYTES_LIMIT:
            raise _too_many()
        epoch = uuid.uuid4().hex
        pending = self._pending[epoch] = _Pending()
        self._bytes += len(picture)
        try:
            with outages_named():
                await self._submit_and_wait(epoch, picture, pending)
        finally:
            del self._pending[epoch]
            self._bytes -= len(picture)
        return _result(pending)

    async def _submit_and_wait(self, epoch: str, picture: bytes, pending: _Pending) -> None:
        entry = await self._submit(epoch, picture)
        seconds = self._timeout.total_seconds()
        time = asyncio.get_running_loop().time
        deadline, last = time() + seconds, time() + seconds + LOADING_SECONDS
        while not await _is_set(pending.complete, min(POLL_SECONDS, deadline - time())):
            if self._loads():
                deadline = min(time() + seconds, last)
            if time() >= deadline:
                # Nobody waits for the result any more; the picture would only occupy Redis.
                await self._client.xdel(keys.inbox(keys.UPLOADS), entry)
                raise PredictionTimeout(f"no result within {seconds:g} s")

    async def _submit(self, epoch: str, picture: bytes) -> bytes:
        if await self._client.xlen(keys.inbox(keys.UPLOADS)) >= INBOX_LIMIT:
            raise _too_many()
        now_ms = self._clock.now_ms()
        deadline_ms = now_ms + round(self._timeout.total_seconds() * 1000)
        entry: dict[Any, Any] = InboxPicture(epoch, 0, now_ms, deadline_ms, picture).fields()
        stored: bytes = await self._client.xadd(keys.inbox(keys.UPLOADS), entry)  # type: ignore[assignment]
        return stored

    def _loads(self) -> bool:
        """Whether the capture service loads what decodes pictures: the first picture after a start waits for it."""
        status = self._registry.find(keys.UPLOADS)
        return status is not None and status.reason == LOADING

    def _check_services(self) -> None:
        if not self._registry.reachable:
            raise BrokerUnavailable("Redis was unreachable at the last poll")
        states = {status.name: status.state for status in self._registry.sources()}
        if states.get(keys.UPLOADS) != "ONLINE":
            raise NoCapture("no capture service takes pictures now")
        if not self._registry.workers():
            raise NoWorker("no inference worker is running now")


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event is set within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _too_many() -> TooManyUploads:
    return TooManyUploads("too many pictures are waiting; try again soon")


def _result(pending: _Pending) -> tuple[FrameDone, list[Reading]]:
    frame = pending.frame
    if pending.failure:
        raise UnclassifiableFace(f"a face of the picture cannot be classified: {pending.failure}")
    if frame is None:
        raise RuntimeError("a picture is complete without its frame")
    if frame.note:
        raise UnreadablePicture(frame.note)
    readings = [pending.readings[index] for index in sorted(pending.readings)]
    if any(reading.stale for reading in readings):
        raise PredictionTimeout("the workers are too busy to look at the picture in time")
    return frame, readings
