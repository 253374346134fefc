"""The one place that puts the parts of a capturing process together."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Protocol

from capture_service import detectors
from capture_service.address import SourceSpec
from capture_service.browser import BrowserFeed
from capture_service.faces import FaceFinder
from capture_service.feed import Feed, LiveFeed
from capture_service.inbox import InboxCapture
from capture_service.live import LiveCapture
from capture_service.outage import Outage
from capture_service.publisher import Publisher
from capture_service.pulse import Pulse
from capture_service.registration import Registration
from capture_service.settings import CaptureSettings
from capture_service.sources import make_source
from capture_service.view import View
from contract.broker import Clients, connect
from contract.clock import RedisClock
from contract.messages import SourceStatus

BROWSER_PAUSE = timedelta(seconds=1)
"""To look whether a browser came back costs nothing, and whoever did should not wait."""


class Capture(Protocol):
    """What captures a source until it is stopped."""

    def run(self, stop: Event) -> None: ...


def captured(spec: SourceSpec, order: int, metrics_port: int, pulse: Pulse, settings: CaptureSettings) -> Capture:
    """The capture of one source. Loads the detector; connects when it runs.

    Raises:
        EmotiiError: a setting or a file of the detector cannot be used.
    """
    clients = connect(settings.redis_url, f"capture-{spec.name}")
    clock, outage = RedisClock(), Outage()
    every = 0.0 if spec.kind == "inbox" else settings.detect_every.total_seconds()
    faces = FaceFinder(spec.name, detectors.configured(settings, spec.detector), every)
    publisher = Publisher(clients.commands, spec.name, clock)
    view = View(clients.commands, spec.name, settings)
    status = SourceStatus(
        name=spec.name,
        kind="inbox" if spec.kind == "inbox" else "camera",
        order=order,
        address=spec.safe,
        added=spec.added,
        state="RECONNECTING",
        reason="opening",
        since_ms=clock.now_ms(),
        seen_ms=clock.now_ms(),
        metrics_port=metrics_port,
    )
    registration = Registration(clients.commands, clock, outage, pulse, status)
    if spec.kind == "inbox":
        return InboxCapture(
            source=spec.name,
            clients=clients,
            faces=faces,
            publisher=publisher,
            view=view,
            registration=registration,
            clock=clock,
            outage=outage,
            settings=settings,
        )
    if spec.kind == "browser":
        settings = settings.model_copy(update={"reconnect_longest": BROWSER_PAUSE})
    return LiveCapture(
        source=spec.name,
        make_feed=_feeds(spec, clients, clock, settings),
        fps=spec.fps,
        faces=faces,
        publisher=publisher,
        view=view,
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
