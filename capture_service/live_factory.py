"""Puts together the capture of a live source: a webcam, a stream, a file or a browser."""

from collections.abc import Callable
from datetime import timedelta

from capture_service import detectors
from capture_service.faces.pipeline import FaceFinder
from capture_service.live.browser_feed import BrowserFeed
from capture_service.live.capture import LiveCapture
from capture_service.live.feed import Feed, LiveFeed
from capture_service.publishing.crops import CropPublisher
from capture_service.publishing.frames import FramePublisher
from capture_service.publishing.registration import Registration
from capture_service.settings import CaptureSettings
from capture_service.sources import source_maker
from capture_service.sources.spec import SourceSpec
from contract.redis.broker import Clients
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog

BROWSER_PAUSE = timedelta(seconds=1)
"""A check whether the browser came back costs nothing, and a browser that did should not wait."""


def make_live_capture(
    spec: SourceSpec,
    clients: Clients,
    registration: Registration,
    publisher: CropPublisher,
    clock: RedisClock,
    outage: OutageLog,
    settings: CaptureSettings,
) -> LiveCapture:
    """The capture of a webcam, a stream, a file or a browser; loads the detector.

    Raises:
        EmotiiError: a setting or a file of the detector cannot be used.
    """
    detector = detectors.configured(settings, spec.detector)
    if spec.kind == "browser":
        settings = settings.model_copy(update={"reconnect_longest": BROWSER_PAUSE})
    return LiveCapture(
        source=spec.name,
        make_feed=_feeds(spec, clients, clock, settings),
        fps=spec.fps,
        faces=FaceFinder(spec.name, detector, settings.detect_every.total_seconds()),
        publisher=publisher,
        frame_publisher=FramePublisher(clients.commands, spec.name, settings),
        registration=registration,
        clock=clock,
        outage=outage,
        settings=settings,
    )


def _feeds(spec: SourceSpec, clients: Clients, clock: RedisClock, settings: CaptureSettings) -> Callable[[], LiveFeed]:
    if spec.kind == "browser":
        max_pixels = settings.picture_max_megapixels * 1_000_000
        return lambda: BrowserFeed(spec.name, clients, clock, settings.picture_max_bytes, max_pixels)
    most_fps = spec.fps if spec.kind in {"webcam", "stream"} else None
    make_source = source_maker(spec, settings)
    return lambda: Feed(make_source(), most_fps)
