"""A source's place in the registry: which process captures it, and what it says of itself."""

import socket
import time
from threading import Event

import redis
import structlog

from capture_service import metrics
from capture_service.watchdog import Watchdog
from contract import keys
from contract.errors import BrokerUnavailable
from contract.messages import SourceState, SourceStatus
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock
from contract.redis.lease import Lease
from contract.redis.outage import OutageLog

logger = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0


class Registration:
    """Holds a source by a lease and tells of it about once a second and at every change of state."""

    def __init__(
        self, client: redis.Redis, clock: RedisClock, outage: OutageLog, pulse: Watchdog, first: SourceStatus
    ) -> None:
        self._client = client
        self._clock = clock
        self._outage = outage
        self._lease = Lease(client, f"capture-{first.name}")
        self._status = first.model_copy(update={"host": socket.gethostname()})
        self._ours = False
        self._due = 0.0
        self._rate = _Rate()
        self._pulse = pulse

    @property
    def state(self) -> SourceState:
        return self._status.state

    def alive(self) -> bool:
        """Whether whoever captures the source still turns."""
        return self._pulse.alive()

    def acquire_or_renew(self) -> bool:
        """Whether this process captures the source; asks and tells Redis about once a second. Never raises an outage.

        While Redis is away nothing changes: whoever captured goes on, and sees when Redis is back whether it still may.
        """
        self._pulse.beat()
        if time.monotonic() >= self._due:
            self._tell()
        return self._ours

    def change(self, state: SourceState, reason: str = "") -> None:
        """The state and why; news is logged and told at once."""
        if (state, reason) == (self._status.state, self._status.reason):
            return
        self._status = self._status.model_copy(
            update={"state": state, "reason": reason, "since_ms": self._clock.now_ms()}
        )
        metrics.STATE.labels(self._status.name).state(state)
        log = logger.info if state == "ONLINE" else logger.warning
        log("source", state=state, **({"reason": reason} if reason else {}))
        self._tell()

    def opened(self, epoch: str) -> None:
        """The source is opened once more."""
        self._status = self._status.model_copy(update={"epoch": epoch})

    def looked(self, width: int, height: int) -> None:
        """One more frame was looked at."""
        metrics.FRAMES.labels(self._status.name).inc()
        update = {"frames": self._status.frames + 1, "width": width, "height": height}
        self._status = self._status.model_copy(update=update)

    def skipped(self, count: int) -> None:
        """So many frames were passed over."""
        if count:
            metrics.SKIPPED.labels(self._status.name).inc(count)
            self._status = self._status.model_copy(update={"skipped": self._status.skipped + count})

    def leave(self) -> None:
        """Tell that the source is captured no more, and let another process have it.

        It stays in the registry, so that whoever watches it learns why nothing comes; its age takes it out.
        """
        try:
            with outages_named():
                if self._ours and self._lease.acquire_or_renew():
                    self._clock.refresh(self._client)
                    now_ms = self._clock.now_ms()
                    update = {
                        "state": "OFFLINE",
                        "reason": "stopped",
                        "fps": 0.0,
                        "since_ms": now_ms,
                        "seen_ms": now_ms,
                    }
                    self._write(self._status.model_copy(update=update))
                    self._lease.release()
        except BrokerUnavailable as error:
            self._outage.failed(error)  # readers see by its age that the status is old
        self._ours = False

    def hand_over(self, stop: Event) -> None:
        """Let another process of this service have the source; until it does, the source stays as it is for others."""
        metrics.STATE.remove(self._status.name)
        self._ours = False
        try:
            with outages_named():
                self._lease.release()
                while not self._lease.is_held():
                    self._write(self._status.model_copy(update={"seen_ms": self._clock.now_ms()}))
                    if stop.wait(EVERY_SECONDS):
                        return
        except BrokerUnavailable as error:
            self._outage.failed(error)  # the other process has to wait until the lease ends by itself

    def _tell(self) -> None:
        self._due = time.monotonic() + EVERY_SECONDS
        try:
            with outages_named():
                ours = self._lease.acquire_or_renew()
                if ours:
                    self._clock.refresh(self._client)
                    fps = self._rate.of(self._status.frames)
                    self._status = self._status.model_copy(update={"seen_ms": self._clock.now_ms(), "fps": fps})
                    self._write(self._status)
        except BrokerUnavailable as error:
            self._outage.failed(error)
            return
        self._outage.recovered()
        if ours != self._ours:
            self._ours = ours
            logger.info("captured here" if ours else "captured by another process", source=self._status.name)

    def _write(self, status: SourceStatus) -> None:
        self._client.hset(keys.SOURCES, status.name, status.model_dump_json())


class _Rate:
    """Frames a second, over the last second or so."""

    def __init__(self) -> None:
        self._since, self._frames, self._fps = time.monotonic(), 0, 0.0

    def of(self, frames: int) -> float:
        now = time.monotonic()
        if now - self._since >= EVERY_SECONDS / 2:
            self._fps = round((frames - self._frames) / (now - self._since), 2)
            self._since, self._frames = now, frames
        return self._fps
