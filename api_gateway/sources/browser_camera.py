"""The camera of one browser: pictures through the inbox into the capture service, never more than it can take."""

import asyncio
import uuid
from typing import Any

import redis.asyncio
import structlog

from api_gateway.errors import ApiError
from api_gateway.sources.added_sources import AddedSources
from contract import keys
from contract.errors import SourceError
from contract.messages import AddedSource, InboxPicture
from contract.redis.broker import OUTAGES
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease

logger = structlog.get_logger()
IN_FLIGHT = 2
"""One that is being looked at, and one that waits."""
LIFE_MS = 1000
"""A picture that waited longer than this, for a capture that is only starting maybe, is not worth looking at."""
KEEP_SECONDS = 1.0


class BrowserCamera:
    """Holds a name while a browser sends, and counts what is on its way.

    Args:
        client: for commands.
        desired: where the source is asked for.
        name: of the source.
    """

    def __init__(self, client: redis.asyncio.Redis, desired: AddedSources, clock: RedisClock, name: str) -> None:
        self._client = client
        self._desired = desired
        self._clock = clock
        self._name = name
        self._lease = AsyncLease(client, keys.camera(name))
        self._epoch = uuid.uuid4().hex[:12]
        self._frame = 0
        self._unused = 0
        """Pictures that the browser may send and has not."""
        self._waiting = 0
        """Pictures that the capture has not done with, at most."""
        self._turn = asyncio.Lock()
        self._entered = False

    async def enter(self) -> None:
        """Take the name and have the source captured.

        Raises:
            ApiError: the name cannot be used or is taken.
        """
        try:
            if keys.source_name(self._name) == keys.UPLOADS:
                raise ApiError(422, "bad_source", f"the name {keys.UPLOADS!r} is reserved for uploaded pictures")
        except SourceError as error:
            raise ApiError(422, "bad_source", str(error)) from error
        await self._hold()
        await self._client.delete(keys.inbox(self._name))  # of a browser that was here before
        self._entered = True
        logger.info("a browser's camera came", source=self._name)

    async def keep(self) -> None:
        """Keep the name, for ever.

        Raises:
            ApiError: during a long outage another browser has taken it.
        """
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._hold()

    async def hand_in(self, jpeg: bytes) -> None:
        """Give a picture to the capture.

        Raises:
            ApiError: it comes without a credit.
        """
        async with self._turn:
            if not self._unused:
                raise ApiError(429, "too_fast", 'wait for {"ready": n} before sending so many pictures more')
            self._unused -= 1
            now_ms = self._clock.now_ms()
            picture = InboxPicture(self._epoch, self._frame, now_ms, now_ms + LIFE_MS, jpeg)
            await self._client.xadd(keys.inbox(self._name), dict[Any, Any](picture.fields()), maxlen=IN_FLIGHT)
            self._frame += 1
            self._waiting += 1

    async def credits(self) -> int:
        """How many pictures more the browser may send, since the last call."""
        async with self._turn:
            if self._waiting:
                self._waiting = await self._client.xlen(keys.inbox(self._name))
            more = max(0, IN_FLIGHT - self._unused - self._waiting)
            self._unused += more
            return more

    async def leave(self) -> None:
        """Let go of the name; the capture sees that the browser left."""
        try:
            await self._lease.release()
        except OUTAGES as error:
            logger.info("a browser's camera left without a word to redis", source=self._name, error=str(error))
        else:
            if self._entered:
                logger.info("a browser's camera left", source=self._name)

    async def _hold(self) -> None:
        if not await self._lease.acquire_or_renew():
            raise ApiError(409, "name_taken", f"another browser sends {self._name!r} now; choose another name")
        source = AddedSource(name=self._name, address="", camera="browser", added_ms=self._clock.now_ms())
        await self._desired.admit_browser(source)
