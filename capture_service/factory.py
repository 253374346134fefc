"""The one place that puts the parts of a capturing process together.

OpenCV and a detector are loaded for a source at once, for pictures that are handed in when the first one comes.
"""

from threading import Event
from typing import TYPE_CHECKING, Protocol

from capture_service.inbox.capture import InboxCapture
from capture_service.inbox.idle import IdleInbox
from capture_service.publishing.crops import CropPublisher
from capture_service.publishing.registration import Registration
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import UPLOADED, SourceSpec
from capture_service.watchdog import Watchdog
from contract.messages import SourceStatus
from contract.redis.broker import connect
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog

if TYPE_CHECKING:
    from capture_service.inbox.picture_faces import PictureFaces

LOADING_SECONDS = 60.0
"""How much longer than other turns the one with the first picture may take."""


class Capture(Protocol):
    """What captures a source until it is stopped."""

    def run(self, stop: Event) -> None: ...


def captured(spec: SourceSpec, order: int, metrics_port: int, pulse: Watchdog, settings: CaptureSettings) -> Capture:
    """The capture of one source; connects when it runs.

    Raises:
        EmotiiError: a setting or a file of the detector cannot be used.
    """
    clients = connect(settings.redis_url, f"capture-{spec.name}")
    clock, outage = RedisClock(), OutageLog()
    status = _opening(spec, order, metrics_port, clock)
    registration = Registration(clients.commands, clock, outage, pulse, status)
    publisher = CropPublisher(clients.commands, spec.name, clock)
    if spec.kind != "inbox":
        from capture_service.live_factory import live  # with OpenCV and the detector

        return live(spec, clients, registration, publisher, clock, outage, settings)

    def picture_faces() -> "PictureFaces":
        pulse.beat(LOADING_SECONDS)
        from capture_service.inbox.picture_faces import PictureFaces

        return PictureFaces(spec.name, clients, settings)

    return InboxCapture(
        source=spec.name,
        clients=clients,
        picture_faces=picture_faces,
        publisher=publisher,
        registration=registration,
        clock=clock,
        outage=outage,
    )


def idle_inbox(order: int, settings: CaptureSettings) -> IdleInbox:
    """What waits for the first picture that is handed in; connects when it starts."""
    client = connect(settings.redis_url, f"capture-{UPLOADED.name}-idle").commands
    clock, outage = RedisClock(), OutageLog()
    status = _opening(UPLOADED, order, settings.metrics_port, clock)
    return IdleInbox(client, Registration(client, clock, outage, Watchdog(), status), outage)


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
