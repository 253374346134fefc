"""A source's place in the registry: which process captures it, and the status that this process reports."""

import socket
import time

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
RATED_FRAMES = 2
"""The least number of frames of which a rate is stated; the gateway waits by it for the frames of a slow source."""


class Registration:
    """Holds the lease of a source, and publishes its status about once a second and at every change of state."""

    def __init__(
        self, client: redis.Redis, clock: RedisClock, outage: OutageLog, watchdog: Watchdog, first: SourceStatus
    ) -> None:
        self._client = client
        self._clock = clock
        self._outage = outage
        self._lease = Lease(client, f"capture-{first.name}")
        self._status = first.model_copy(update={"host": socket.gethostname()})
        self._held = False
        self._due = 0.0
        self._rate = _Rate()
        self._watchdog = watchdog

    @property
    def state(self) -> SourceState:
        return self._status.state

    def acquire_or_renew(self) -> bool:
        """Whether this process captures the source; about once a second it renews the lease and publishes the status.

        It never raises an outage. While Redis is unreachable nothing changes: a process that captures goes on, and
        checks its lease when Redis is back.
        """
        self._watchdog.feed()
        if time.monotonic() >= self._due:
            self._publish()
        return self._held

    def set_state(self, state: SourceState, reason: str = "") -> None:
        """Set the state and its reason; a change is logged and published at once."""
        if (state, reason) == (self._status.state, self._status.reason):
            return
        # Another reason for the same state is no new state.
        since_ms = self._status.since_ms if state == self._status.state else self._clock.now_ms()
        self._status = self._status.model_copy(
            update={"state": state, "reason": reason, "warning": "", "since_ms": since_ms}
        )
        metrics.STATE.labels(self._status.name).state(state)
        log = logger.info if state == "ONLINE" else logger.warning
        log("source", state=state, **({"reason": reason} if reason else {}))
        self._publish()

    def set_warning(self, warning: str) -> None:
        """Set what is wrong although the source is online; empty: nothing. Published with the next status."""
        if warning and not self._status.warning:
            logger.warning("source", warning=warning)
        elif self._status.warning and not warning:
            logger.info("source is fast enough again")
        self._status = self._status.model_copy(update={"warning": warning})

    def set_epoch(self, epoch: str) -> None:
        """The source was opened again, as this epoch."""
        self._status = self._status.model_copy(update={"epoch": epoch})

    def count_frame(self, width: int, height: int) -> None:
        """Count a processed frame of this size in pixels."""
        metrics.FRAMES.labels(self._status.name).inc()
        update = {"frames": self._status.frames + 1, "width": width, "height": height}
        self._status = self._status.model_copy(update=update)

    def count_skipped(self, count: int) -> None:
        """Count skipped frames."""
        if count:
            metrics.SKIPPED.labels(self._status.name).inc(count)
            self._status = self._status.model_copy(update={"skipped": self._status.skipped + count})

    def leave(self) -> None:
        """Publish that the source is not captured any more, and release the lease for another process.

        The source stays in the registry, so that viewers see the reason; readers drop a status that is too old.
        """
        try:
            with outages_named():
                if self._held and self._lease.acquire_or_renew():
                    self._clock.refresh(self._client)
                    now_ms = self._clock.now_ms()
                    update = {
                        "state": "OFFLINE",
                        "reason": "stopped",
                        "warning": "",
                        "fps": 0.0,
                        "since_ms": now_ms,
                        "seen_ms": now_ms,
                    }
                    self._write(self._status.model_copy(update=update))
                    self._lease.release()
        except BrokerUnavailable as error:
            self._outage.failed(error)  # readers see by `seen_ms` that the status is old
        self._held = False

    def _publish(self) -> None:
        self._due = time.monotonic() + EVERY_SECONDS
        try:
            with outages_named():
                held = self._lease.acquire_or_renew()
                if held:
                    self._clock.refresh(self._client)
                    fps = self._rate.of(self._status.frames) if self._status.state == "ONLINE" else 0.0
                    self._status = self._status.model_copy(update={"seen_ms": self._clock.now_ms(), "fps": fps})
                    self._write(self._status)
        except BrokerUnavailable as error:
            self._outage.failed(error)
            return
        self._outage.recovered()
        if held != self._held:
            self._held = held
            logger.info("captured here" if held else "captured by another process", source=self._status.name)

    def _write(self, status: SourceStatus) -> None:
        self._client.hset(keys.SOURCES, status.name, status.model_dump_json())


class _Rate:
    """Frames a second, over the last second or so; of a slow source over its last two frames."""

    def __init__(self) -> None:
        self._since, self._frames, self._fps = time.monotonic(), 0, 0.0

    def of(self, frames: int) -> float:
        now = time.monotonic()
        count, seconds = frames - self._frames, max(now - self._since, EVERY_SECONDS / 2)
        if count >= RATED_FRAMES and now - self._since >= EVERY_SECONDS / 2:
            self._fps = count / seconds
            self._since, self._frames = now, frames
        else:  # no more than if the missing frames came now
            self._fps = min(self._fps or count / seconds, RATED_FRAMES / seconds)
        return round(self._fps, 2)
