"""A continuous stream of crops, sent as the capture service sends them, during any fault of Redis."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event, Lock
from types import TracebackType
from typing import Self

import numpy as np
import pytest
import redis

from capture_service.publishing.crops import Batch, CropPublisher
from contract import keys
from contract.errors import BrokerUnavailable
from contract.messages import Crop, FrameDone, FrameId, SourceStatus
from contract.messages.status import SourceKind
from contract.model.normalisation import CROP_BYTES
from contract.redis.broker import connect, outages_named
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog, retry_until_stored
from tests.faults.engine import answer_to
from tests.faults.ledger import Ledger
from tests.inference import face

FACES = 4
"""In every frame."""


def crop_id(crop: Crop) -> str:
    return f"{crop.id.source}:{crop.id.epoch}:{crop.id.frame}:{crop.face.index}"


class Load:
    """Sends frames of four crops of one source on a thread, and keeps the source in the registry; a context manager.

    Args:
        url: of Redis, or of a proxy in front of it.
        ledger: records each crop before it is sent.
        frames_a_second: how many, as far as Redis can follow.
        deadline_after_ms: from capture to the deadline of a live crop; 0: the source is a job.
        ends_frames: whether each is followed by its "frame done", which gateways want and the ledger does not know.
        backlog_limit: above so many waiting entries nothing is sent: a job waits, a live source skips the frame.
    """

    def __init__(
        self,
        url: str,
        ledger: Ledger,
        frames_a_second: float,
        *,
        deadline_after_ms: int = 0,
        backlog_limit: int = 2000,
        ends_frames: bool = False,
    ) -> None:
        self.crops: dict[str, tuple[float, ...]] = {}
        """The probabilities that the reading of each crop must have."""
        self.frames = 0
        self.skipped = 0
        self.outage = OutageLog()
        """Whether Redis is unreachable for the sending thread."""
        self.quiet = Lock()
        """While a test holds this lock, no crop is on its way to Redis."""
        self._url = url
        self.ledger = ledger
        self._pause = 1 / frames_a_second
        self._deadline_after_ms = deadline_after_ms
        self._backlog_limit = backlog_limit
        self._ends_frames = ends_frames
        self._sent: int | None = None
        """The frame before."""
        self._kind: SourceKind = "camera" if deadline_after_ms else "job"
        self._clock = RedisClock()
        self._chance = np.random.default_rng(0)
        self._stop = Event()
        self._last_frame_due = Event()
        self._threads = ThreadPoolExecutor(2, f"load {ledger.source}")

    def __enter__(self) -> Self:
        self._sending = self._threads.submit(self._send_all)
        self._registering = self._threads.submit(self._register)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._last_frame_due.set()
        self._stop.set()
        self._threads.shutdown()
        self._sending.result()
        self._registering.result()

    def end_sending(self) -> None:
        """Send no new frame, and wait until the last one is stored; the source stays registered until the exit."""
        self._last_frame_due.set()
        self._sending.result(60)

    def check_answers(self) -> None:
        """Every reading so far was made of the pixels of its own crop: no reply was taken for another."""
        for name, reading in self.ledger.readings.items():
            if not reading.stale:
                assert reading.probabilities == pytest.approx(self.crops[name], abs=1e-5), f"{name}: of other pixels"

    def _send_all(self) -> None:
        ttl = None if self._deadline_after_ms else keys.JOB_KEYS_SECONDS
        due = time.monotonic()
        with closing(connect(self._url, "load")) as clients:
            publisher = CropPublisher(clients.commands, self.ledger.source, self._clock, ttl)
            while not self._last_frame_due.is_set():
                with self.quiet:
                    self._send(publisher)
                # After an outage it makes up for a second, not for all of it.
                due = max(due + self._pause, time.monotonic() - 1.0)
                self._last_frame_due.wait(max(0.001, due - time.monotonic()))

    def _send(self, publisher: CropPublisher) -> None:
        try:
            full = publisher.backlog() > self._backlog_limit
        except BrokerUnavailable:
            full = True
        if full:
            self.skipped += 1
            return
        crops = list(self._frame())
        self.ledger.add(self._remembered(crops))
        batch = Batch([*crops, *self._end(crops[0])])
        retry_until_stored(lambda: publisher.send(batch), self._stop, self.outage)

    def _frame(self) -> Iterator[Crop]:
        now = self._clock.now_ms()
        deadline = now + self._deadline_after_ms if self._deadline_after_ms else 0
        for index in range(FACES):
            pixels = self._chance.integers(0, 256, CROP_BYTES, dtype=np.uint8).tobytes()
            yield Crop(FrameId(self.ledger.source, "e1", self.frames), face(index), now, deadline, pixels)
        self.frames += 1

    def _end(self, crop: Crop) -> Iterator[FrameDone]:
        if self._ends_frames:
            yield FrameDone(crop.id, crop.captured_ms, FACES, 640, 480, previous=self._sent)
            self._sent = crop.id.frame

    def _remembered(self, crops: list[Crop]) -> Iterator[str]:
        for crop in crops:
            self.crops[crop_id(crop)] = answer_to(crop)
            yield crop_id(crop)

    def _register(self) -> None:
        with closing(connect(self._url, "load-registry")) as clients:
            while not self._stop.wait(0.3):
                try:
                    with outages_named():
                        self._send_heartbeat(clients.commands)
                except BrokerUnavailable:
                    continue  # the next heartbeat tries again; the ledger counts the lost crops

    def _send_heartbeat(self, client: redis.Redis) -> None:
        self._clock.refresh(client)
        now = self._clock.now_ms()
        status = SourceStatus(name=self.ledger.source, kind=self._kind, state="ONLINE", since_ms=now, seen_ms=now)
        client.hset(keys.SOURCES, self.ledger.source, status.model_dump_json())
        if not self._deadline_after_ms:
            for key in keys.of_job(self.ledger.source):
                client.expire(key, keys.JOB_KEYS_SECONDS)
