"""The frames of the last two seconds, for viewers and for cropping faces."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from contract import keys
from contract.errors import BrokerUnavailable, MalformedMessage, reason_of
from contract.messages import Box, FrameHeader, FrameId
from contract.messages.erasure import ErasureScope
from contract.redis.broker import AsyncClients

logger = structlog.get_logger()
KEPT_SECONDS = 2.0
KEPT_FRAMES = 128
"""Of each source, which bounds the memory of one with a high frame rate."""
SILENCE_SECONDS = 6.0
WAIT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as received over its channel."""

    number: int
    """Increases over all sources; a viewer remembers the last one that it received."""
    header: FrameHeader
    jpeg: bytes
    received: float
    """`time.monotonic()`."""

    def scale(self, width: int) -> float:
        """The factor from pixels of the captured frame to pixels of a picture of it with this width."""
        return width / max(self.header.width, 1)


def scaled(box: Box, scale: float) -> Box:
    """The box in a picture of another size."""
    return box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale


class FrameBuffer:
    """Subscribes to the frames of those sources that somebody uses, and only while they do.

    The capture service encodes no frames for a channel without subscribers.
    """

    def __init__(self, clients: AsyncClients) -> None:
        self._pubsub = clients.blocking.pubsub(ignore_subscribe_messages=True)
        self._users: Counter[str] = Counter()
        """By source: the number of contexts in which its frames are wanted."""
        self.saved_from: frozenset[str] = frozenset()
        """Sources whose frames are wanted for saving faces, besides those that are viewed."""
        self._subscribed: set[str] = set()
        self._kept: dict[str, deque[Frame]] = {}
        self._number = 0
        self._received = time.monotonic()
        """When the connection last delivered anything."""
        self._news = asyncio.Event()

    @contextmanager
    def in_use(self, source: str) -> Iterator[None]:
        """Receive this source's frames while the context lasts."""
        self._users[source] += 1
        try:
            yield
        finally:
            self._users[source] -= 1
            self._users += Counter()  # drops the sources without users

    def newest(self, source: str) -> Frame | None:
        """The newest frame that was received within the last two seconds."""
        kept = self._kept.get(source)
        return kept[-1] if kept and time.monotonic() - kept[-1].received <= KEPT_SECONDS else None

    def before(self, frame: Frame, seconds: float) -> list[Frame]:
        """The frames of its source that were received within `seconds` before this one, the newest first."""
        return [
            kept
            for kept in reversed(self._kept.get(frame.header.source, ()))
            if kept.number < frame.number
            and kept.header.epoch == frame.header.epoch
            and frame.received - kept.received <= seconds
        ]

    async def find(self, frame: FrameId, seconds: float) -> Frame | None:
        """The frame with this identity, if it is among those of the last two seconds or arrives within `seconds`.

        Frames arrive in order, so this does not wait for a frame once a later one has arrived.
        """
        found = await self._within(seconds, lambda: self._kept_frame(frame) or self._later_frame(frame))
        return found if found and found.header.frame == frame.frame else None

    async def after(self, source: str, number: int, seconds: float) -> Frame | None:
        """The newest frame of a source, once it is newer than `number`; None if none arrives within `seconds`."""

        def newer() -> Frame | None:
            newest = self.newest(source)
            return newest if newest and newest.number > number else None

        return await self._within(seconds, newer)

    def discard(self, scope: ErasureScope) -> None:
        """Drop the frames of this scope, also those of a source that has sent no frame for long."""
        for source, kept in self._kept.items():
            outside = [frame for frame in kept if not scope.covers(source, frame.header.captured_ms)]
            self._kept[source] = deque(outside, maxlen=KEPT_FRAMES)

    async def listen(self) -> None:
        """Update the subscriptions, and receive one message if it arrives within a quarter of a second."""
        try:
            await self._subscribe()
            if not self._subscribed:
                await asyncio.sleep(WAIT_SECONDS)
                return
            await self._receive()
        except Exception:
            self._subscribed.clear()
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection; `listen` opens a new one."""
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _within(self, seconds: float, lookup: Callable[[], Frame | None]) -> Frame | None:
        try:
            async with asyncio.timeout(seconds):
                while not (frame := lookup()):
                    await self._news.wait()
        except TimeoutError:
            return None
        return frame

    def _kept_frame(self, frame: FrameId) -> Frame | None:
        for kept in reversed(self._kept.get(frame.source, ())):
            if (kept.header.epoch, kept.header.frame) == (frame.epoch, frame.frame):
                return kept
        return None

    def _later_frame(self, frame: FrameId) -> Frame | None:
        newest = next(reversed(self._kept.get(frame.source, ())), None)
        later = newest and newest.header.epoch == frame.epoch and newest.header.frame > frame.frame
        return newest if later else None

    async def _subscribe(self) -> None:
        wanted = {source for source, count in self._users.items() if count > 0} | self.saved_from
        if new := wanted - self._subscribed:
            await self._pubsub.subscribe(*map(keys.frames, new))
            self._received = time.monotonic()
        if old := self._subscribed - wanted:
            await self._pubsub.unsubscribe(*map(keys.frames, old))
        for source in old:
            self._kept.pop(source, None)
        self._subscribed = wanted

    async def _receive(self) -> None:
        message = await self._pubsub.get_message(timeout=WAIT_SECONDS)
        now = time.monotonic()
        if message is None:
            # A dead connection looks like a source without frames; the reply to a ping distinguishes the two.
            if now - self._received > SILENCE_SECONDS:
                raise BrokerUnavailable("no reply on the connection for frames")
            if now - self._received > SILENCE_SECONDS / 2:
                await self._pubsub.ping()
            return
        self._received = now
        if message["type"] == "message":
            self._keep(message["channel"], message["data"], now)

    def _keep(self, channel: bytes, payload: bytes, now: float) -> None:
        try:
            header, jpeg = FrameHeader.decode(payload)
            if keys.frames(header.source).encode() != channel:
                raise MalformedMessage("source: not the source of this channel")
        except MalformedMessage as error:
            logger.debug("malformed frame ignored", error=reason_of(error))
            return
        if not jpeg:  # published before the capture service noticed this subscriber
            return
        self._number += 1
        kept = self._kept.setdefault(header.source, deque(maxlen=KEPT_FRAMES))
        kept.append(Frame(self._number, header, jpeg, now))
        while now - kept[0].received > KEPT_SECONDS:
            kept.popleft()
        self._news.set()
        self._news = asyncio.Event()
