"""The capture of one live source: newest frame, faces, crops; and the reconnection of a source that broke."""

import time
import uuid
from collections.abc import Callable
from threading import Event

from capture_service import metrics
from capture_service.faces.pipeline import FaceFinder
from capture_service.frame import Frame, Picture
from capture_service.live.feed import LiveFeed
from capture_service.live.throughput import Throughput
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
"""A source without a picture for so long is offline, even while an attempt to open it again still waits."""
STABLE_PAUSES = 3
"""A source that delivers for this many of the longest pauses is opened again without the pauses of earlier failures."""


class LiveCapture:
    """Captures one source until it is stopped. A frame is processed fresh or skipped: no frame waits.

    Args:
        source: its name.
        make_feed: returns a new feed of the source, to open it or to open it again.
        faces: finds the faces of a frame.
        publisher: of the crops.
        frame_publisher: of the frames, for viewers.
        registration: of the source.
        clock: Redis's.
        outage: logs outages of Redis.
        settings: of the capture service.
        fps: the bound on the frames a second of the source, if there is one.
    """

    def __init__(
        self,
        *,
        source: str,
        make_feed: Callable[[], LiveFeed],
        faces: FaceFinder,
        publisher: CropPublisher,
        frame_publisher: FramePublisher,
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
        self._frame_publisher = frame_publisher
        self._registration = registration
        self._clock = clock
        self._outage = outage
        self._settings = settings
        self._stall_seconds = settings.stall_seconds(fps)
        self._throughput = Throughput(fps)
        self._feed: LiveFeed | None = None
        self._epoch = ""
        self._sent: int | None = None
        """The last frame of this epoch that was stored."""
        self._last_frame = 0.0
        self._unreadable = ""
        """Why the frames since then could not be read, if any came."""
        self._lost_since: float | None = None
        self._loss_reason = ""
        self._next_opening = 0.0
        first, longest = settings.reconnect_first.total_seconds(), settings.reconnect_longest.total_seconds()
        self._openings = Backoff(first, max(first, longest))
        self._pause = 0.0
        """Before the last opening, in seconds."""
        self._stable_seconds = STABLE_PAUSES * max(first, longest)
        self._online_since: float | None = None
        """When the first frame of this epoch came."""
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
                if self._lost_since and time.monotonic() > self._lost_since + LOST_SECONDS:
                    self._registration.set_state("OFFLINE", self._loss_reason)
        finally:
            self._close()
            self._registration.leave()

    def _turn(self, feed: LiveFeed, stop: Event) -> None:
        frame = feed.newest(TURN_SECONDS)
        skipped = feed.drain_skipped()
        self._registration.count_skipped(skipped)
        self._throughput.count(skipped=skipped)
        if frame is not None and frame.picture is not None:
            self._last_frame, self._lost_since, self._unreadable = time.monotonic(), None, ""
            self._online_since = self._online_since or self._last_frame
            if self._last_frame > self._online_since + self._stable_seconds:
                self._openings.reset()
                self._pause = 0.0
            self._registration.set_state("ONLINE")
            self._process(frame, frame.picture, stop)
            self._registration.set_warning(self._throughput.warning())
            return
        if frame is not None:
            self._unreadable = frame.note
            metrics.UNREADABLE.labels(self._source).inc()
            self._registration.count_skipped(1)
        if feed.broken is not None:
            self._close_broken(feed.broken)
        elif feed.ended:
            self._registration.set_state("OFFLINE", "ended")
            stop.wait(TURN_SECONDS)
        elif time.monotonic() > self._last_frame + self._stall_seconds:
            what = f"no readable frame for {self._stall_seconds:g} s ({self._unreadable})" if self._unreadable else ""
            self._close_broken(what or f"no frame for {self._stall_seconds:g} s")

    def _process(self, frame: Frame, picture: Picture, stop: Event) -> None:
        height, width = picture.shape[:2]
        found = self._faces.find(picture, frame.seconds)
        captured_ms = self._clock.now_ms() - round((time.monotonic() - frame.seconds) * 1000)
        deadline_ms = captured_ms + round(self._settings.crop_life.total_seconds() * 1000)
        name = FrameId(self._source, self._epoch, frame.number)
        crops = [Crop(name, one.face, captured_ms, deadline_ms, one.pixels) for one in found]
        try:
            # With a backlog the frame is still published and its faces are tracked; only its crops are not sent.
            if has_room := self._publisher.has_room(self._settings.backlog_limit):
                done = FrameDone(name, captured_ms, len(crops), width, height, previous=self._sent)
                self._publisher.send(Batch([*crops, done]))
                self._sent = name.frame
            self._frame_publisher.publish(name, captured_ms, picture, found)
        except BrokerUnavailable as error:
            self._outage.failed(error)
            self._registration.count_skipped(1)
            stop.wait(self._sendings.next())
        else:
            self._outage.recovered()
            self._sendings.reset()
            if has_room:
                self._registration.count_frame(width, height)
                self._throughput.count(processed=1)
            else:
                self._registration.count_skipped(1)
                self._throughput.count(held_back=1)

    def _open(self) -> None:
        self._epoch, self._sent = uuid.uuid4().hex[:12], None
        self._registration.set_epoch(self._epoch)
        self._faces.begin()
        self._online_since, self._unreadable = None, ""
        self._throughput.restart()
        self._last_frame = time.monotonic() + self._settings.open_timeout.total_seconds()
        self._feed = self._make_feed()
        self._feed.start()

    def _close_broken(self, reason: str) -> None:
        # Another attempt follows soon. The source is offline only when that fails, too, or takes long.
        if self._registration.state == "ONLINE":
            self._lost_since = self._last_frame
            self._registration.set_state("RECONNECTING", reason)
        else:
            self._registration.set_state("OFFLINE", reason)
        self._loss_reason = reason
        self._close()
        self._pause = max(self._pause, self._openings.next())  # jitter makes no pause shorter than the one before
        self._next_opening = time.monotonic() + self._pause

    def _close(self) -> None:
        if self._feed is not None:
            self._feed.stop()
            self._registration.count_skipped(self._feed.drain_skipped())
            self._feed = None
