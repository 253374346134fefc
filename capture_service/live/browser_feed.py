"""A browser's camera as a live feed: a gateway writes the pictures to the inbox of the source."""

import time
from typing import Any, cast

import structlog

from capture_service.frame import Frame
from capture_service.sources.image_decoding import decode
from contract import keys
from contract.errors import BrokerUnavailable, MalformedMessage, PictureError
from contract.messages import Dead, InboxPicture
from contract.redis.broker import Clients, outages_named
from contract.redis.clock import RedisClock

logger = structlog.get_logger(__name__)

DEAD_KEPT = 2000
MOST_WAITING = 16
Entry = tuple[bytes, dict[bytes, bytes]]


class BrowserFeed:
    """Reads the newest picture of the inbox; one connection of one browser is one feed.

    A picture stays in the inbox until it was processed, that is until the next picture is requested. The gateway sees
    by the length of the inbox how fast this source is captured, and has the browser send no faster.
    """

    ended = False

    def __init__(self, source: str, clients: Clients, clock: RedisClock, max_bytes: int, max_pixels: int) -> None:
        self.broken: str | None = None
        self._source = source
        self._inbox = keys.inbox(source)
        self._clients = clients
        self._clock = clock
        self._max_bytes, self._max_pixels = max_bytes, max_pixels
        self._connection = ""
        self._current: bytes | None = None
        self._skipped = 0

    def start(self) -> None:
        """There is nothing to open."""

    def newest(self, seconds: float) -> Frame | None:
        """The newest picture; waits up to `seconds` for one."""
        try:
            with outages_named():
                if self._current is not None:
                    self._clients.commands.xdel(self._inbox, self._current)
                    self._current = None
                return self._newest(seconds)
        except BrokerUnavailable:  # the registration logs the outage
            self.broken = "Redis cannot be reached"
            return None

    def drain_skipped(self) -> int:
        """The number of pictures that were skipped since the last call."""
        skipped, self._skipped = self._skipped, 0
        return skipped

    def stop(self) -> None:
        """There is nothing to close."""

    def _newest(self, seconds: float) -> Frame | None:
        block_ms = max(1, round(seconds * 1000))
        reply = self._clients.blocking.xread({self._inbox: "0"}, count=MOST_WAITING, block=block_ms)
        if not reply:
            if not self._clients.commands.exists(keys.lease(keys.camera(self._source))):
                self.broken = "the browser left"
            return None
        *older, (entry, fields) = cast(list[Entry], cast(Any, reply)[0][1])
        if older:
            self._clients.commands.xdel(self._inbox, *(skipped for skipped, _ in older))
            self._skipped += len(older)
        try:
            return self._frame(entry, InboxPicture.read(fields))
        except MalformedMessage as error:
            self._dead_letter(Dead(entry.decode(), str(error), fields))
            return None

    def _frame(self, entry: bytes, picture: InboxPicture) -> Frame | None:
        if self._connection and picture.epoch != self._connection:
            self.broken = "the browser connected anew"  # its picture waits for the next feed
            return None
        self._connection, self._current = picture.epoch, entry
        now_ms = self._clock.now_ms()
        if picture.deadline_ms and now_ms > picture.deadline_ms:
            self._skipped += 1
            return None
        taken = time.monotonic() - max(0, now_ms - picture.sent_ms) / 1000
        try:
            return Frame(picture.frame, taken, decode(picture.picture, self._max_bytes, self._max_pixels))
        except PictureError as error:
            return Frame(picture.frame, taken, None, str(error))

    def _dead_letter(self, dead: Dead) -> None:
        logger.warning("malformed picture dead-lettered", entry=dead.entry, reason=dead.reason)
        pipeline = self._clients.commands.pipeline(transaction=True)
        pipeline.xadd(keys.dead(self._source), dict[Any, Any](dead.fields()), maxlen=DEAD_KEPT)
        pipeline.xdel(self._inbox, dead.entry)
        pipeline.execute()
        self._skipped += 1
