"""The one place that puts the parts of a capture process together.

OpenCV and a detector are loaded at once for a source. For uploaded pictures, another process loads them.
"""

from threading import Event
from typing import Protocol

from capture_service.inbox.capture import InboxCapture
from capture_service.inbox.decoder import PictureDecoder
from capture_service.publishing.crops import CropPublisher
from capture_service.publishing.registration import Registration
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from capture_service.watchdog import Watchdog
from contract.messages import SourceStatus
from contract.redis.broker import connect
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog


class Capture(Protocol):
    """Captures a source."""

    def run(self, stop: Event) -> None:
        """Capture until `stop` is set."""


def make_capture(
    spec: SourceSpec, order: int, metrics_port: int, watchdog: Watchdog, settings: CaptureSettings
) -> Capture:
    """The capture of one source; it connects to Redis when it runs.

    Raises:
        EmotiiError: a setting or a file of the detector cannot be used.
    """
    clients = connect(settings.redis_url, f"capture-{spec.name}")
    clock, outage = RedisClock(), OutageLog()
    status = _opening(spec, order, metrics_port, clock)
    registration = Registration(clients.commands, clock, outage, watchdog, status)
    publisher = CropPublisher(clients.commands, spec.name, clock)
    if spec.kind != "inbox":
        from capture_service.live_factory import make_live_capture  # with OpenCV and the detector

        return make_live_capture(spec, clients, registration, publisher, clock, outage, settings)

    return InboxCapture(
        source=spec.name,
        clients=clients,
        decoder=PictureDecoder(spec.name, settings),
        publisher=publisher,
        registration=registration,
        clock=clock,
        outage=outage,
    )


def _opening(spec: SourceSpec, order: int, metrics_port: int, clock: RedisClock) -> SourceStatus:
    now_ms = clock.now_ms()
    return SourceStatus(
        name=spec.name,
        kind="inbox" if spec.kind == "inbox" else "camera",
        order=order,
        address=spec.safe,
        added=spec.added,
        state="RECONNECTING",
        reason="opening",
        since_ms=now_ms,
        seen_ms=now_ms,
        metrics_port=metrics_port,
    )
