"""The worker: read, classify, commit, until told to stop."""

import time
from threading import Event

import redis
import structlog

from contract.errors import BrokerUnavailable
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
"""Live crops are waiting, so an outage should not outlast Redis's own by more."""

logger = structlog.get_logger()


class Worker:
    """One consumer of the workers' group, with everything it needs handed in."""

    def __init__(
        self,
        *,
        commands: redis.Redis,
        clock: RedisClock,
        sources: Sources,
        crops: Crops,
        suspects: QuarantineTracker,
        classifier: Classifier,
        results: Results,
        registry: Registry,
        idle_ms: int,
    ) -> None:
        self._commands = commands
        self._clock = clock
        self._sources = sources
        self._crops = crops
        self._suspects = suspects
        self._classifier = classifier
        self._results = results
        self._registry = registry
        self._idle_ms = idle_ms
        self._backoff = Backoff(longest_seconds=LONGEST_PAUSE_SECONDS)
        self._outages = OutageLog()
        self._turned = time.monotonic()

    def run(self, stop: Event, metrics_port: int = 0) -> None:
        """Work until `stop`, then finish what is in hand and leave.

        Raises:
            EngineBroken: the engine fails on everything; what is pending waits for another worker. Nothing catches it,
                so that the process ends with a traceback and exit code 1, and its supervisor starts it again.
        """
        while not stop.is_set():
            self._turned = time.monotonic()
            try:
                with outages_named():
                    self._keep_in_touch(metrics_port)
                    if batch := self._crops.next_batch():
                        self._finish(batch)
                self._back()
            except BrokerUnavailable as error:
                self._outage(error)
                stop.wait(self._backoff.next())
        self._leave()

    def alive(self) -> bool:
        """Whether the loop turned within the last 10 s."""
        return time.monotonic() - self._turned < STUCK_SECONDS

    def _keep_in_touch(self, metrics_port: int) -> None:
        self._clock.refresh(self._commands)
        self._registry.beat(self._results.classified, metrics_port)
        self._registry.sweep(self._sources.grouped, self._idle_ms)

    def _finish(self, batch: list[Delivery]) -> None:
        try:
            outcomes = self._classifier.classify(batch)
        except EngineBroken:
            self._suspects.acquit()
            raise
        self._results.commit(batch, outcomes)

    def _outage(self, error: BrokerUnavailable) -> None:
        self._crops.lost_sight()
        metrics.OUTAGES.inc()
        self._outages.failed(error)

    def _back(self) -> None:
        self._outages.recovered()
        self._backoff.reset()

    def _leave(self) -> None:
        """Commit what is still pending and take this worker out of Redis; if Redis is away, others will see to it."""
        if self._outages.lasts:
            return
        deadline = time.monotonic() + DRAIN_SECONDS
        try:
            with outages_named():
                self._crops.lost_sight()
                while (batch := self._crops.unfinished()) and time.monotonic() < deadline:
                    self._finish(batch)
                self._registry.leave(self._sources.grouped)
        except BrokerUnavailable as error:
            logger.warning("redis went away before the end; others will claim what is pending", error=str(error))
