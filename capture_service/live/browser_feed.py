"""A browser's camera: pictures that a gateway hands in, as a live feed."""

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
    """Takes the newest picture of the inbox; one connection of one browser is one feed.

    A picture stays in the inbox until it has been looked at, that is until the next one is asked for: so the gateway
    sees by the length of the inbox how fast this source is captured, and has the browser send no faster.
    """

    ended = False

    def __init__(self, source: str, clients: Clients, clock: RedisClock, max_bytes: int) -> None:
        self.broken: str | None = None
        self._source = source
        self._inbox = keys.inbox(source)
        self._clients = clients
        self._clock = clock
        self._max_bytes = max_bytes
        self._connection = ""
        self._taken: bytes | None = None
        self._skipped = 0

    def start(self) -> None:
        """There is nothing to open."""

    def take(self, seconds: float) -> Frame | None:
        """The newest picture; waits up to `seconds` for one."""
        try:
            with outages_named():
                if self._taken is not None:
                    self._clients.commands.xdel(self._inbox, self._taken)
                    self._taken = None
                return self._newest(seconds)
        except BrokerUnavailable:  # whoever holds the source says it aloud
            self.broken = "Redis cannot be reached"
            return None

    def take_skipped(self) -> int:
        """Pictures that were passed over since the last call."""
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
            self._clients.commands.xdel(self._inbox, *(passed for passed, _ in older))
            self._skipped += len(older)
        try:
            return self._frame(entry, InboxPicture.read(fields))
        except MalformedMessage as error:
            self._bury(Dead(entry.decode(), str(error), fields))
            return None

    def _frame(self, entry: bytes, handed_in: InboxPicture) -> Frame | None:
        if self._connection and handed_in.epoch != self._connection:
            self.broken = "the browser connected anew"  # its picture waits for the next feed
            return None
        self._connection, self._taken = handed_in.epoch, entry
        now_ms = self._clock.now_ms()
        if handed_in.deadline_ms and now_ms > handed_in.deadline_ms:
            self._skipped += 1
            return None
        taken = time.monotonic() - max(0, now_ms - handed_in.sent_ms) / 1000
        try:
            return Frame(handed_in.frame, taken, decode(handed_in.picture, self._max_bytes))
        except PictureError as error:
            return Frame(handed_in.frame, taken, None, str(error))

    def _bury(self, dead: Dead) -> None:
        logger.warning("malformed picture buried", entry=dead.entry, reason=dead.reason)
        pipeline = self._clients.commands.pipeline(transaction=True)
        pipeline.xadd(keys.dead(self._source), dict[Any, Any](dead.fields()), maxlen=DEAD_KEPT)
        pipeline.xdel(self._inbox, dead.entry)
        pipeline.execute()
        self._skipped += 1
