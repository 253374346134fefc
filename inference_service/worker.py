"""The worker: read, classify, commit, until it is stopped."""

import time
from threading import Event

import redis
import structlog

from contract.errors import BrokerUnavailable, reason_of
from contract.redis.broker import Backoff, outages_named
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog
from inference_service import metrics
from inference_service.classifier import Classifier
from inference_service.crops import Crops
from inference_service.delivery import Delivery
from inference_service.poison import EngineBroken
from inference_service.quarantine import QuarantineTracker
from inference_service.registry import Registry
from inference_service.results import Results
from inference_service.sources import Sources

STUCK_SECONDS = 10.0
DRAIN_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 2.0
"""Live crops are waiting, so a worker must reconnect at most this long after Redis is back."""

logger = structlog.get_logger()


class Worker:
    """One consumer of the workers' group."""

    def __init__(
        self,
        *,
        commands: redis.Redis,
        clock: RedisClock,
        sources: Sources,
        crops: Crops,
        quarantine: QuarantineTracker,
        classifier: Classifier,
        results: Results,
        registry: Registry,
        idle_ms: int,
    ) -> None:
        self._commands = commands
        self._clock = clock
        self._sources = sources
        self._crops = crops
        self._quarantine = quarantine
        self._classifier = classifier
        self._results = results
        self._registry = registry
        self._idle_ms = idle_ms
        self._backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        self._outages = OutageLog()
        self._last_iteration = time.monotonic()

    def run(self, stop: Event, metrics_port: int = 0) -> None:
        """Work until `stop` is set, then commit what is pending and deregister.

        Raises:
            EngineBroken: the engine fails on everything; pending crops wait for another worker. Nothing catches it, so
                the process ends with a traceback and exit code 1, and its supervisor restarts it.
        """
        while not stop.is_set():
            self._last_iteration = time.monotonic()
            try:
                with outages_named():
                    self._update_registry(metrics_port)
                    if batch := self._crops.next_batch():
                        self._process(batch)
                self._recovered()
            except BrokerUnavailable as error:
                self._outage(error)
                stop.wait(self._backoff.next())
        self._shut_down()

    def alive(self) -> bool:
        """Whether the loop ran within the last 10 s."""
        return time.monotonic() - self._last_iteration < STUCK_SECONDS

    def _update_registry(self, metrics_port: int) -> None:
        self._clock.refresh(self._commands)
        self._registry.send_heartbeat(self._results.classified, metrics_port)
        self._registry.remove_dead_consumers(self._sources.grouped, self._idle_ms)

    def _process(self, batch: list[Delivery]) -> None:
        try:
            outcomes = self._classifier.classify(batch)
        except EngineBroken:
            self._quarantine.release()
            raise
        self._results.commit(batch, outcomes)

    def _outage(self, error: BrokerUnavailable) -> None:
        self._crops.reread_pending()
        metrics.OUTAGES.inc()
        self._outages.failed(error)

    def _recovered(self) -> None:
        self._outages.recovered()
        self._backoff.reset()

    def _shut_down(self) -> None:
        """Commit what is pending and deregister; if Redis is unreachable, other workers claim what is pending."""
        if self._outages.lasts:
            return
        deadline = time.monotonic() + DRAIN_SECONDS
        try:
            with outages_named():
                self._crops.reread_pending()
                while (batch := self._crops.next_pending()) and time.monotonic() < deadline:
                    self._process(batch)
                self._registry.deregister(self._sources.grouped)
        except BrokerUnavailable as error:
            logger.warning(
                "redis unreachable during shutdown; other workers will claim the rest", error=reason_of(error)
            )
