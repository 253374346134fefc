"""An inbox source: pictures that are uploaded through a stream."""

import time
from dataclasses import replace
from threading import Event
from typing import Any, cast

import structlog
from redis.exceptions import ResponseError

from capture_service import metrics
from capture_service.inbox.decoder import PictureDecoder
from capture_service.inbox.picture_process import Found
from capture_service.publishing.crops import Batch, CropPublisher
from capture_service.publishing.registration import Registration
from contract import keys
from contract.errors import BrokerUnavailable, MalformedMessage, PictureError
from contract.messages import Dead, FrameDone, FrameId, InboxPicture
from contract.messages.inbox import LOADING
from contract.redis.broker import BLOCK_MS, Backoff, Clients, outages_named
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog, retry_until_stored

logger = structlog.get_logger(__name__)

CONSUMER = "capture"
"""One name for every process, since the lease lets only one read: the next process finds what is pending."""
MOST_DELIVERIES = 3
TURN_SECONDS = 0.25
"""How often the loop turns while a picture is decoded."""
LOADING_SECONDS = 60.0
"""How long the process that decodes may take to start."""
LONGEST_SECONDS = 20.0
"""How long a picture without a deadline may be decoded."""
DEAD_KEPT = 2000
_GROUP_IS_GONE = ("NOGROUP", "UNBLOCKED")
"""The beginnings of Redis's errors for a missing group, before a read and while it waits."""
Entry = tuple[bytes, dict[bytes, bytes]]


class InboxCapture:
    """Finds the faces of uploaded pictures; each picture gets its "frame done", even a picture that cannot be read.

    Args:
        source: its name.
        clients: both Redis clients.
        decoder: finds the faces, in a process of its own: a picture that makes it hang is given up at its deadline.
        publisher: of the crops.
        registration: of the source.
        clock: Redis's.
        outage: logs outages of Redis.
    """

    def __init__(
        self,
        *,
        source: str,
        clients: Clients,
        decoder: PictureDecoder,
        publisher: CropPublisher,
        registration: Registration,
        clock: RedisClock,
        outage: OutageLog,
    ) -> None:
        self._source = source
        self._stream = keys.inbox(source)
        self._clients = clients
        self._decoder = decoder
        self._loading_ms = 0, 0
        """From when until when the process that decodes was last waited for, in Redis's time."""
        self._publisher = publisher
        self._registration = registration
        self._clock = clock
        self._outage = outage
        self._epoch = ""
        self._read_pending = True
        self._backoff = Backoff(longest_seconds=1.0)

    def run(self, stop: Event) -> None:
        """Read and process pictures until `stop` is set."""
        try:
            while not stop.is_set():
                if not self._registration.acquire_or_renew():
                    self._read_pending = True
                    stop.wait(BLOCK_MS / 1000)
                    continue
                self._registration.set_state("ONLINE")
                try:
                    for entry, fields in self._read():
                        self._process(entry, fields, stop)
                    self._backoff.reset()
                except (BrokerUnavailable, ResponseError) as error:  # the latter: a key of another type
                    self._outage.failed(error)
                    self._read_pending = True  # the entries of a lost reply are pending
                    stop.wait(self._backoff.next())
        finally:
            self._decoder.kill()
            self._registration.leave()

    def _read(self) -> list[Entry]:
        """Pending entries of an earlier read, then new entries; waits for up to half a second."""
        cursor = "0" if self._read_pending else ">"
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
        self._read_pending = self._read_pending and bool(entries)
        return entries

    def _make_group(self) -> None:
        try:
            # From the beginning: pictures may have been uploaded before a process was there to read them.
            self._clients.commands.xgroup_create(self._stream, keys.CAPTURE_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # another process was faster
                raise

    def _process(self, entry: bytes, fields: dict[bytes, bytes], stop: Event) -> None:
        dead: Dead | None = None
        try:
            picture = InboxPicture.read(fields or {})
        except MalformedMessage as error:
            dead = Dead(entry.decode(), str(error), fields or {})
            logger.warning("malformed picture dead-lettered", entry=dead.entry, reason=dead.reason)
        else:
            batch = self._find_faces(picture, self._deliveries(entry), stop)
            if batch is None or not self._send(batch, stop):
                return  # the entry stays pending for the next process
        with outages_named():
            pipeline = self._clients.commands.pipeline(transaction=True)
            if dead:
                pipeline.xadd(keys.dead(self._source), dict[Any, Any](dead.fields()), maxlen=DEAD_KEPT)
            pipeline.xack(self._stream, keys.CAPTURE_GROUP, entry)
            pipeline.xdel(self._stream, entry)
            pipeline.execute()

    def _send(self, batch: Batch, stop: Event) -> bool:
        """Store a batch however long an outage of Redis lasts; False where `stop` or another process came first."""
        return retry_until_stored(
            lambda: self._publisher.send(batch), stop, self._outage, permitted=self._registration.acquire_or_renew
        )

    def _deliveries(self, entry: bytes) -> int:
        with outages_named():
            pending = self._clients.commands.xpending_range(self._stream, keys.CAPTURE_GROUP, entry, entry, 1)
        return int(pending[0]["times_delivered"]) if pending else 1

    def _find_faces(self, picture: InboxPicture, deliveries: int, stop: Event) -> Batch | None:
        """The faces of a picture, or why there are none; None where `stop` or another process came first."""
        name = FrameId(self._source, picture.epoch, picture.frame)
        try:
            if deliveries > MOST_DELIVERIES:
                raise PictureError(f"given up after {MOST_DELIVERIES} attempts that ended the process")
            if (found := self._decode(picture, name, stop)) is None:
                return None
        except PictureError as error:
            metrics.UNREADABLE.labels(self._source).inc()
            self._registration.count_skipped(1)
            return Batch([FrameDone(name, picture.sent_ms, 0, 0, 0, str(error))])
        crops, done = found
        if picture.epoch != self._epoch:
            self._epoch = picture.epoch
            self._registration.set_epoch(self._epoch)
        self._registration.count_frame(done.width, done.height)
        return Batch([*crops, done])

    def _decode(self, picture: InboxPicture, name: FrameId, stop: Event) -> Found | None:
        """As `_find_faces`.

        Raises:
            PictureError: it is too late for the picture, or it cannot be decoded in time.
        """
        self._check_deadline(picture)
        if not self._load(stop):
            return None
        seconds = (picture.deadline_ms - picture.sent_ms) / 1000 if picture.deadline_ms else LONGEST_SECONDS
        given_up = time.monotonic() + seconds
        picture = self._deferred(picture)
        self._check_deadline(picture)
        self._decoder.submit(picture, name)
        while (found := self._decoder.result(TURN_SECONDS)) is None:
            if time.monotonic() > given_up:
                logger.warning("a picture hangs its decoder, given up", epoch=picture.epoch, seconds=seconds)
                self._decoder.restart()
                raise PictureError(f"decoding it took longer than {seconds:g} s")
            if not self._continues(stop):
                self._decoder.kill()
                return None
        return found

    def _load(self, stop: Event) -> bool:
        """Wait until the decoder is ready; False where `stop` or another process came first."""
        if self._decoder.ready(0):
            return True
        began, began_ms = time.monotonic(), self._clock.now_ms()
        self._registration.set_state("ONLINE", LOADING)
        try:
            while not self._decoder.ready(TURN_SECONDS):
                if time.monotonic() - began > LOADING_SECONDS:
                    self._decoder.kill()
                    raise PictureError(f"its decoder did not start within {LOADING_SECONDS:g} s")
                if not self._continues(stop):
                    return False
        finally:
            self._registration.set_state("ONLINE")
        self._loading_ms = began_ms, self._clock.now_ms()
        return True

    def _deferred(self, picture: InboxPicture) -> InboxPicture:
        """The picture with its deadline deferred by the time that it waited for the decoder to be ready."""
        began_ms, ready_ms = self._loading_ms
        if picture.sent_ms < ready_ms and picture.deadline_ms > began_ms:
            waited_ms = ready_ms - max(began_ms, picture.sent_ms)
            return replace(picture, deadline_ms=picture.deadline_ms + waited_ms)
        return picture

    def _check_deadline(self, picture: InboxPicture) -> None:
        if picture.deadline_ms and self._clock.now_ms() > self._deferred(picture).deadline_ms:
            raise PictureError("it waited too long")

    def _continues(self, stop: Event) -> bool:
        """Whether this process still captures the source; each call renews the lease and feeds the watchdog."""
        return not stop.is_set() and self._registration.acquire_or_renew()
