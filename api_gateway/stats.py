"""What the last second was like, source by source, told about once a second."""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from api_gateway import events
from api_gateway.product import Product
from api_gateway.registry import Registry
from api_gateway.saver import Saver
from contract.clock import RedisClock
from contract.messages import SourceStatus


@dataclass
class _Second:
    readings: int = 0
    stale: int = 0
    ages_ms: list[int] = field(default_factory=list)


class Stats:
    """Counts readings, and makes an event of them and of what the registry knows."""

    def __init__(self, registry: Registry, saver: Saver, product: Product, clock: RedisClock) -> None:
        self._registry = registry
        self._saver = saver
        self._product = product
        self._clock = clock
        self._seconds: defaultdict[str, _Second] = defaultdict(_Second)
        self._since_ms = clock.now_ms()

    def count(self, source: str, age_ms: int | None, *, stale: bool) -> None:
        """One reading came; `age_ms` since its frame was taken."""
        second = self._seconds[source]
        second.readings += 1
        second.stale += stale
        if age_ms is not None and not stale:
            second.ages_ms.append(age_ms)

    def event(self) -> events.Stats:
        """How things stand, without ending the second."""
        now_ms = self._clock.now_ms()
        workers = self._registry.workers()
        return events.Stats(
            now_ms=now_ms,
            redis=self._registry.reachable,
            workers=len(workers),
            models=tuple(sorted({worker.model for worker in workers})),
            saving=events.Saving(on=self._saver.on, here=self._saver.holds_lease, paused=self._saver.paused),
            settings=events.Settings.model_validate(self._product.settings.model_dump()),
            sources={status.name: self._of(status, now_ms) for status in self._registry.sources()},
        )

    def finish_second(self) -> events.Stats:
        """The event, after which counting starts anew."""
        event = self.event()
        self._seconds.clear()
        self._since_ms = self._clock.now_ms()
        return event

    def _of(self, status: SourceStatus, now_ms: int) -> events.SourceStats:
        second = self._seconds.get(status.name, _Second())
        elapsed = max(0.001, (now_ms - self._since_ms) / 1000)
        return events.SourceStats(
            readings_per_s=round(second.readings / elapsed, 1),
            stale=second.stale,
            age_ms=round(median(second.ages_ms)) if second.ages_ms else None,
            stages=None,
            backlog=self._registry.backlog.get(status.name, 0),
            fps=round(status.fps, 1),
            frames=status.frames,
            skipped=status.skipped,
            encodes=0,
        )
