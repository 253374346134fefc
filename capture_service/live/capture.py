"""The capture of one live source: newest frame, faces, crops; and what to do when it breaks."""

import time
import uuid
from collections.abc import Callable
from threading import Event

from capture_service import metrics
from capture_service.faces.pipeline import FaceFinder
from capture_service.frame import Frame, Picture
from capture_service.live.feed import LiveFeed
from capture_service.publishing.crops import Batch, CropPublisher
from capture_service.publishing.frames import FramePublisher
from capture_service.publishing.registration import Registration
from capture_service.settings import CaptureSettings
from contract.errors import BrokerUnavailable
from contract.messages import Crop, FrameDone, FrameId
from contract.redis.broker import Backoff
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog

TURN_SECONDS = 0.2
LOST_SECONDS = 4.8
"""Without a picture for so long a source is offline, even if an attempt to open it again still waits for an answer."""
SLOW_FRAMES = 2
"""A source that is to give few frames has the time of so many before one counts as missing."""


class LiveCapture:
    """Captures one source until it is stopped. Fresh or skipped: nothing waits here.

    `fps` is how many frames a second the source is asked for, if that is bounded.
    """

    def __init__(
        self,
        *,
        source: str,
        make_feed: Callable[[], LiveFeed],
        faces: FaceFinder,
        publisher: CropPublisher,
        view: FramePublisher,
        registration: Registration,
        clock: RedisClock,
        outage: OutageLog,
        settings: CaptureSettings,
        fps: float | None = None,
    ) -> None:
        self._source = source
        self._make_feed = make_feed
        self._faces = faces
        self._publisher = publisher
        self._view = view
        self._registration = registration
        self._clock = clock
        self._outage = outage
        self._settings = settings
        self._patience = max(settings.stall_timeout.total_seconds(), SLOW_FRAMES / fps if fps else 0.0)
        self._feed: LiveFeed | None = None
        self._epoch = ""
        self._sent: int | None = None
        """The last frame of this epoch that was stored."""
        self._last_frame = 0.0
        self._lost: float | None = None
        self._loss = ""
        self._next_opening = 0.0
        first, longest = settings.reconnect_first.total_seconds(), settings.reconnect_longest.total_seconds()
        self._openings = Backoff(first, max(first, longest))
        self._sendings = Backoff(longest_seconds=1.0)

    def run(self, stop: Event) -> None:
        """Capture until `stop` is set."""
        try:
            while not stop.is_set():
                if not self._registration.acquire_or_renew():
                    self._close()
                    stop.wait(TURN_SECONDS)
                elif self._feed is None:
                    stop.wait(min(TURN_SECONDS, self._next_opening - time.monotonic()))
                    if time.monotonic() >= self._next_opening:
                        self._open()
                else:
                    self._turn(self._feed, stop)
                if self._lost and time.monotonic() > self._lost + LOST_SECONDS:
                    self._registration.change("OFFLINE", self._loss)
        finally:
            self._close()
            self._registration.leave()

    def _turn(self, feed: LiveFeed, stop: Event) -> None:
        frame = feed.take(TURN_SECONDS)
        self._registration.skipped(feed.take_skipped())
        if frame is not None and frame.picture is not None:
            self._last_frame, self._lost = time.monotonic(), None
            self._openings.reset()
            self._registration.change("ONLINE")
            self._look(frame, frame.picture, stop)
            return
        if frame is not None:
            metrics.UNREADABLE.labels(self._source).inc()
            self._registration.skipped(1)
        if feed.broken is not None:
            self._broke(feed.broken)
        elif feed.ended:
            self._registration.change("OFFLINE", "ended")
            stop.wait(TURN_SECONDS)
        elif time.monotonic() > self._last_frame + self._patience:
            self._broke(f"no frame for {self._patience:g} s")

    def _look(self, frame: Frame, picture: Picture, stop: Event) -> None:
        height, width = picture.shape[:2]
        found = self._faces.find(picture, frame.seconds)
        captured_ms = self._clock.now_ms() - round((time.monotonic() - frame.seconds) * 1000)
        deadline_ms = captured_ms + round(self._settings.crop_life.total_seconds() * 1000)
        name = FrameId(self._source, self._epoch, frame.number)
        crops = [Crop(name, one.face, captured_ms, deadline_ms, one.pixels) for one in found]
        try:
            # With a backlog the frame is still shown and its faces followed; only the workers are spared.
            if has_room := self._publisher.has_room(self._settings.backlog_limit):
                done = FrameDone(name, captured_ms, len(crops), width, height, previous=self._sent)
                self._publisher.send(Batch([*crops, done]))
                self._sent = name.frame
            self._view.publish(name, captured_ms, picture, found)
        except BrokerUnavailable as error:
            self._outage.failed(error)
            self._registration.skipped(1)
            stop.wait(self._sendings.next())
        else:
            self._outage.recovered()
            self._sendings.reset()
            if has_room:
                self._registration.looked(width, height)
            else:
                self._registration.skipped(1)

    def _open(self) -> None:
        self._epoch, self._sent = uuid.uuid4().hex[:12], None
        self._registration.opened(self._epoch)
        self._faces.begin()
        self._last_frame = time.monotonic() + self._settings.open_timeout.total_seconds()
        self._feed = self._make_feed()
        self._feed.start()

    def _broke(self, reason: str) -> None:
        # Another attempt follows soon; only when that fails, too, or takes long is the source offline.
        if self._registration.state == "ONLINE":
            self._lost = self._last_frame
            self._registration.change("RECONNECTING", reason)
        else:
            self._registration.change("OFFLINE", reason)
        self._loss = reason
        self._close()
        self._next_opening = time.monotonic() + self._openings.next()

    def _close(self) -> None:
        if self._feed is not None:
            self._feed.stop()
            self._registration.skipped(self._feed.take_skipped())
            self._feed = None
