"""An inbox source: pictures that others hand in through a stream."""

from collections.abc import Callable
from functools import cache
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import structlog
from redis.exceptions import ResponseError

from capture_service import metrics
from capture_service.publishing.crops import Batch, CropPublisher
from capture_service.publishing.registration import Registration
from contract import keys
from contract.errors import BrokerUnavailable, MalformedMessage, PictureError
from contract.messages import Dead, FrameDone, FrameId, InboxPicture
from contract.redis.broker import BLOCK_MS, Backoff, Clients, outages_named
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog, retry_until_stored

if TYPE_CHECKING:  # it brings OpenCV and a detector, which wait for the first picture
    from capture_service.inbox.picture_faces import PictureFaces

logger = structlog.get_logger(__name__)

CONSUMER = "capture"
"""One name for every process, since the lease lets only one read: whoever comes next finds what is pending."""
MOST_DELIVERIES = 3
DEAD_KEPT = 2000
_GROUP_IS_GONE = ("NOGROUP", "UNBLOCKED")
"""How Redis begins to say that there is no such group, before a read and while it waits."""
Entry = tuple[bytes, dict[bytes, bytes]]


class InboxCapture:
    """Finds the faces of pictures that are handed in; each picture gets its "frame done", whatever is wrong with it.

    Args:
        picture_faces: called once, when the first picture comes: until then the process is small.
    """

    def __init__(
        self,
        *,
        source: str,
        clients: Clients,
        picture_faces: "Callable[[], PictureFaces]",
        publisher: CropPublisher,
        registration: Registration,
        clock: RedisClock,
        outage: OutageLog,
    ) -> None:
        self._source = source
        self._stream = keys.inbox(source)
        self._clients = clients
        self._picture_faces = cache(picture_faces)
        self._publisher = publisher
        self._registration = registration
        self._clock = clock
        self._outage = outage
        self._epoch = ""
        self._look_back = True
        self._backoff = Backoff(longest_seconds=1.0)

    def run(self, stop: Event) -> None:
        """Read and handle until `stop` is set."""
        try:
            while not stop.is_set():
                if not self._registration.acquire_or_renew():
                    self._look_back = True
                    stop.wait(BLOCK_MS / 1000)
                    continue
                self._registration.change("ONLINE")
                try:
                    for entry, fields in self._read():
                        self._handle(entry, fields, stop)
                    self._backoff.reset()
                except BrokerUnavailable as error:
                    self._outage.failed(error)
                    self._look_back = True  # what a lost reply held is pending
                    stop.wait(self._backoff.next())
        finally:
            self._registration.leave()

    def _read(self) -> list[Entry]:
        """What is pending from before, then what is new; waits for up to half a second."""
        cursor = "0" if self._look_back else ">"
        with outages_named():
            try:
                reply = self._clients.blocking.xreadgroup(
                    keys.CAPTURE_GROUP, CONSUMER, {self._stream: cursor}, count=1, block=BLOCK_MS
                )
            except ResponseError as error:
                if not str(error).startswith(_GROUP_IS_GONE):
                    raise
                self._make_group()
                return []
        entries = cast(list[Entry], cast(Any, reply)[0][1]) if reply else []
        self._look_back = self._look_back and bool(entries)
        return entries

    def _make_group(self) -> None:
        try:
            # From the beginning: pictures may have come before anybody was there to read them.
            self._clients.commands.xgroup_create(self._stream, keys.CAPTURE_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # another process was faster
                raise

    def _handle(self, entry: bytes, fields: dict[bytes, bytes], stop: Event) -> None:
        dead: Dead | None = None
        try:
            picture = InboxPicture.read(fields or {})
        except MalformedMessage as error:
            dead = Dead(entry.decode(), str(error), fields or {})
            logger.warning("malformed picture buried", entry=dead.entry, reason=dead.reason)
        else:
            batch = self._look(picture, self._deliveries(entry))
            if not self._send(batch, stop):
                return  # it stays pending for the next process
        with outages_named():
            pipeline = self._clients.commands.pipeline(transaction=True)
            if dead:
                pipeline.xadd(keys.dead(self._source), dict[Any, Any](dead.fields()), maxlen=DEAD_KEPT)
            pipeline.xack(self._stream, keys.CAPTURE_GROUP, entry)
            pipeline.xdel(self._stream, entry)
            pipeline.execute()

    def _send(self, batch: Batch, stop: Event) -> bool:
        """Store a batch however long Redis is away; False where `stop` or another process came first."""
        return retry_until_stored(
            lambda: self._publisher.send(batch), stop, self._outage, permitted=self._registration.acquire_or_renew
        )

    def _deliveries(self, entry: bytes) -> int:
        with outages_named():
            pending = self._clients.commands.xpending_range(self._stream, keys.CAPTURE_GROUP, entry, entry, 1)
        return int(pending[0]["times_delivered"]) if pending else 1

    def _look(self, handed_in: InboxPicture, deliveries: int) -> Batch:
        name = FrameId(self._source, handed_in.epoch, handed_in.frame)
        try:
            if deliveries > MOST_DELIVERIES:
                raise PictureError(f"given up after {MOST_DELIVERIES} attempts that ended the process")
            if handed_in.deadline_ms and self._clock.now_ms() > handed_in.deadline_ms:
                raise PictureError("it waited too long")
            crops, done = self._picture_faces().find(handed_in, name)
        except PictureError as error:
            metrics.UNREADABLE.labels(self._source).inc()
            self._registration.skipped(1)
            return Batch([FrameDone(name, handed_in.sent_ms, 0, 0, 0, str(error))])
        if handed_in.epoch != self._epoch:
            self._epoch = handed_in.epoch
            self._registration.opened(self._epoch)
        self._registration.looked(done.width, done.height)
        return Batch([*crops, done])
