"""Putting together the capture of a source that gives one frame after the other."""

from collections.abc import Callable
from datetime import timedelta

from capture_service import detectors
from capture_service.address import SourceSpec
from capture_service.browser import BrowserFeed
from capture_service.faces import FaceFinder
from capture_service.feed import Feed, LiveFeed
from capture_service.live import LiveCapture
from capture_service.outage import Outage
from capture_service.publisher import Publisher
from capture_service.registration import Registration
from capture_service.settings import CaptureSettings
from capture_service.sources import make_source
from capture_service.view import View
from contract.broker import Clients
from contract.clock import RedisClock

BROWSER_PAUSE = timedelta(seconds=1)
"""To look whether a browser came back costs nothing, and whoever did should not wait."""


def live(
    spec: SourceSpec,
    clients: Clients,
    registration: Registration,
    publisher: Publisher,
    clock: RedisClock,
    outage: Outage,
    settings: CaptureSettings,
) -> LiveCapture:
    """The capture of a webcam, a stream, a file or a browser. Loads the detector.

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
        view=View(clients.commands, spec.name, settings),
        registration=registration,
        clock=clock,
        outage=outage,
        settings=settings,
    )


def _feeds(spec: SourceSpec, clients: Clients, clock: RedisClock, settings: CaptureSettings) -> Callable[[], LiveFeed]:
    if spec.kind == "browser":
        return lambda: BrowserFeed(spec.name, clients, clock, settings.picture_max_bytes)
    most_fps = spec.fps if spec.kind in {"webcam", "stream"} else None
    return lambda: Feed(make_source(spec, settings), most_fps)
