"""The camera of one browser: sends its pictures to the capture service, with credits as flow control."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import redis.asyncio
import structlog

from api_gateway.sources.added_sources import AddedSources
from api_gateway.sources.errors import BadPicture, BadSource, NameTaken, PictureTooLarge, TooFast
from contract import keys
from contract.errors import SourceError, reason_of
from contract.messages import AddedSource, InboxPicture
from contract.redis.broker import OUTAGES
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease

logger = structlog.get_logger(per_request=True)
IN_FLIGHT = 2
"""One picture that is being processed, and one that waits."""
DEADLINE_MS = 1000
"""The capture service drops a picture that waited longer than this, for example while it was starting."""
RENEWAL_EVERY = timedelta(seconds=1)
JPEG_BEGIN = b"\xff\xd8"


class BrowserCamera:
    """Holds a name while a browser sends, and counts its pictures in flight.

    Args:
        client: for commands.
        added_sources: where the source is added.
        clock: Redis's.
        name: of the source.
    """

    def __init__(self, client: redis.asyncio.Redis, added_sources: AddedSources, clock: RedisClock, name: str) -> None:
        self._client = client
        self._added_sources = added_sources
        self._clock = clock
        self._name = name
        self._lease = AsyncLease(client, keys.camera(name))
        self._epoch = uuid.uuid4().hex[:12]
        self._frame = 0
        self._unused = 0
        """Credits that the browser has and has not used."""
        self._waiting = 0
        """Pictures that the capture service has not processed, at most."""
        self._lock = asyncio.Lock()
        """Guards the two counts."""
        self._entered = False

    async def enter(self) -> None:
        """Take the name and have the source captured.

        Raises:
            BadSource: the name cannot be that of a source.
            NameTaken: another source or browser has it.
            TooManySources: the limit on added sources is reached.
        """
        try:
            if keys.source_name(self._name) == keys.UPLOADS:
                raise BadSource(f"the name {keys.UPLOADS!r} is reserved for uploaded pictures")
        except SourceError as error:
            raise BadSource(str(error)) from error
        await self._acquire_or_renew()
        await self._client.delete(keys.inbox(self._name))  # pictures of an earlier browser
        self._entered = True
        logger.info("browser camera connected", source=self._name)

    async def renew_name(self) -> None:
        """Renew the right to the name; call it every `RENEWAL_EVERY`.

        Raises:
            NameTaken: another browser has taken it during a long outage.
        """
        await self._acquire_or_renew()

    async def submit(self, jpeg: bytes, limit: int) -> None:
        """Send a picture to the capture service.

        Args:
            jpeg: the picture.
            limit: of its bytes.

        Raises:
            PictureTooLarge: it has more bytes.
            BadPicture: it is not a JPEG.
            TooFast: the browser has no credit.
        """
        if len(jpeg) > limit:
            raise PictureTooLarge(f"a picture may have {limit} bytes (EMOTII_CAMERA_FRAME_LIMIT)")
        if not jpeg.startswith(JPEG_BEGIN):
            raise BadPicture("send each picture as one binary message that is a JPEG")
        async with self._lock:
            if not self._unused:
                raise TooFast('wait for {"ready": n} before sending so many pictures more')
            self._unused -= 1
            now_ms = self._clock.now_ms()
            picture = InboxPicture(self._epoch, self._frame, now_ms, now_ms + DEADLINE_MS, jpeg)
            await self._client.xadd(keys.inbox(self._name), dict[Any, Any](picture.fields()), maxlen=IN_FLIGHT)
            self._frame += 1
            self._waiting += 1

    async def new_credits(self) -> int:
        """The number of additional pictures that the browser may send, since the last call."""
        async with self._lock:
            if self._waiting:
                self._waiting = await self._client.xlen(keys.inbox(self._name))
            more = max(0, IN_FLIGHT - self._unused - self._waiting)
            self._unused += more
            return more

    async def leave(self) -> None:
        """Release the name; the capture service notices that the browser has left."""
        try:
            await self._lease.release()
        except OUTAGES as error:
            logger.info("browser camera left during an outage of redis", source=self._name, error=reason_of(error))
        else:
            if self._entered:
                logger.info("browser camera left", source=self._name)

    async def _acquire_or_renew(self) -> None:
        if not await self._lease.acquire_or_renew():
            raise NameTaken(f"another browser sends {self._name!r} now; choose another name")
        source = AddedSource(name=self._name, address="", camera="browser", added_ms=self._clock.now_ms())
        await self._added_sources.admit_browser(source)
