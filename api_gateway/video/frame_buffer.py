"""The frames of the last two seconds, for viewing and for cutting faces out of them."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from contract import keys
from contract.errors import BrokerUnavailable, MalformedMessage
from contract.messages import Box, FrameHeader, FrameId
from contract.redis.broker import AsyncClients

logger = structlog.get_logger()
KEPT_SECONDS = 2.0
KEPT_FRAMES = 128
"""A source's, so that one with a great many frames a second stays small."""
SILENCE_SECONDS = 6.0
WAIT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it came over the channel."""

    number: int
    """Counts up over all sources; a viewer remembers the last it saw."""
    header: FrameHeader
    jpeg: bytes
    received: float
    """`time.monotonic()`."""

    def scale(self, width: int) -> float:
        """What a length in the frame as it was captured, a box's for example, is in a picture of it so wide."""
        return width / max(self.header.width, 1)


def scaled(box: Box, scale: float) -> Box:
    """The box in a picture of another size."""
    return box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale


class FrameBuffer:
    """Subscribes to the frames of the sources that are wanted, and only while they are.

    A channel without a subscriber tells the capture that it need not encode.
    """

    def __init__(self, clients: AsyncClients) -> None:
        self._pubsub = clients.blocking.pubsub(ignore_subscribe_messages=True)
        self._wanted: Counter[str] = Counter()
        self.saved_from: frozenset[str] = frozenset()
        """Sources that are wanted for saving, beside those that are watched."""
        self._subscribed: set[str] = set()
        self._kept: dict[str, deque[Frame]] = {}
        self._number = 0
        self._heard = time.monotonic()
        self._news = asyncio.Event()

    @contextmanager
    def wanted(self, source: str) -> Iterator[None]:
        """Have this source's frames while the context lasts."""
        self._wanted[source] += 1
        try:
            yield
        finally:
            self._wanted[source] -= 1
            self._wanted += Counter()  # without those that nobody wants any more

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
        """This very frame, if it is among those of the last two seconds or comes within `seconds`.

        They come in order: one that a later one has overtaken is not waited for, or who asks falls behind for ever.
        """
        found = await self._within(seconds, lambda: self._kept_frame(frame) or self._later_frame(frame))
        return found if found and found.header.frame == frame.frame else None

    async def after(self, source: str, number: int, seconds: float) -> Frame | None:
        """The newest frame of a source once there is one behind `number`; None if none comes within `seconds`."""

        def newer() -> Frame | None:
            newest = self.newest(source)
            return newest if newest and newest.number > number else None

        return await self._within(seconds, newer)

    def forget(self, source: str | None) -> None:
        """Keep none of the frames that this source, or any, had so far."""
        for kept in self._kept if source is None else {source} & self._kept.keys():
            self._kept[kept].clear()

    async def listen(self) -> None:
        """Bring the subscriptions up to date and take in what comes within a quarter of a second."""
        try:
            await self._subscribe()
            if not self._subscribed:
                await asyncio.sleep(WAIT_SECONDS)
                return
            await self._take_one()
        except Exception:
            self._subscribed.clear()
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection; `listen` makes a new one."""
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _within(self, seconds: float, look: Callable[[], Frame | None]) -> Frame | None:
        try:
            async with asyncio.timeout(seconds):
                while not (frame := look()):
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
        wanted = {source for source, count in self._wanted.items() if count > 0} | self.saved_from
        if new := wanted - self._subscribed:
            await self._pubsub.subscribe(*map(keys.frames, new))
            self._heard = time.monotonic()
        if old := self._subscribed - wanted:
            await self._pubsub.unsubscribe(*map(keys.frames, old))
        for source in old:
            self._kept.pop(source, None)
        self._subscribed = wanted

    async def _take_one(self) -> None:
        message = await self._pubsub.get_message(timeout=WAIT_SECONDS)
        now = time.monotonic()
        if message is None:
            # A connection that died without a word looks like a source without frames; an answer tells them apart.
            if now - self._heard > SILENCE_SECONDS:
                raise BrokerUnavailable("no answer on the connection for frames")
            if now - self._heard > SILENCE_SECONDS / 2:
                await self._pubsub.ping()
            return
        self._heard = now
        if message["type"] == "message":
            self._keep(message["data"], now)

    def _keep(self, payload: bytes, now: float) -> None:
        try:
            header, jpeg = FrameHeader.decode(payload)
        except MalformedMessage as error:
            logger.debug("malformed frame passed over", error=str(error))
            return
        if not jpeg:  # published before the capture noticed that somebody listens
            return
        self._number += 1
        kept = self._kept.setdefault(header.source, deque(maxlen=KEPT_FRAMES))
        kept.append(Frame(self._number, header, jpeg, now))
        while now - kept[0].received > KEPT_SECONDS:
            kept.popleft()
        self._news.set()
        self._news = asyncio.Event()
