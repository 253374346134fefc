"""The figures of the last second, source by source, published about once a second."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from api_gateway.disks import Disks
from api_gateway.faces.saver import FaceSaver
from api_gateway.history.service import HistoryService
from api_gateway.restorations import Restorations
from api_gateway.results.sinks import PartialSink, ProcessedReading
from api_gateway.runtime_settings import RuntimeSettingsReader
from api_gateway.sources.registry import Registry
from contract import events
from contract.messages import SourceStatus
from contract.redis.clock import RedisClock

LONGEST_SECOND = 60.0
"""A second lasts longer while the gateway is busy, but never so long."""


@dataclass
class _Second:
    readings: int = 0
    stale: int = 0
    encodes: int = 0
    ages_ms: list[int] = field(default_factory=list)
    stages: list[events.Stages] = field(default_factory=list)


class Stats(PartialSink):
    """Counts readings, and makes an event of the counts and of the state of registry, saver and settings.

    Args:
        registry: knows sources and workers.
        saver: knows whether faces are saved.
        history: knows how the recording stands.
        settings: what people have switched.
        encoded: by source, the pictures that were encoded so far.
        gaps: returns how often frames of a source did not come back from the workers.
        restorations: knows what Redis had lost.
        disks: knows which of them cannot be written to.
        clock: Redis's.
    """

    def __init__(
        self,
        registry: Registry,
        saver: FaceSaver,
        history: HistoryService,
        settings: RuntimeSettingsReader,
        encoded: Mapping[str, int],
        gaps: Callable[[str], int],
        restorations: Restorations,
        disks: Disks,
        clock: RedisClock,
    ) -> None:
        self._registry = registry
        self._saver = saver
        self._history = history
        self._settings = settings
        self._encoded = encoded
        self._gaps = gaps
        self._restorations = restorations
        self._disks = disks
        self._encoded_before: Counter[str] = Counter()
        self._clock = clock
        self._since_ms = clock.now_ms()
        self._running: defaultdict[str, _Second] = defaultdict(_Second)
        self._finished: Mapping[str, _Second] = {}
        self._lasted = 1.0

    def reading(self, reading: ProcessedReading) -> None:
        event = reading.event
        second = self._running[event.source]
        second.readings += 1
        second.stale += event.stale
        if event.age_ms is not None and not event.stale:
            second.ages_ms.append(event.age_ms)
        if event.stages:
            second.stages.append(event.stages)

    def finish_second(self) -> events.Stats:
        """The event of the second that ends here."""
        encoded = Counter(self._encoded)
        for source, count in (encoded - self._encoded_before).items():
            self._running[source].encodes = count
        self._encoded_before = encoded
        now_ms = self._clock.now_ms()
        lasted = (now_ms - self._since_ms) / 1000
        self._lasted = lasted if 0 < lasted < LONGEST_SECOND else 1.0  # otherwise Redis's clock was set
        self._since_ms = now_ms
        self._finished, self._running = self._running, defaultdict(_Second)
        return self.event()

    def event(self) -> events.Stats:
        """The state of the gateway, with the figures of the last second that is over."""
        workers = self._registry.workers()
        return events.Stats(
            now_ms=self._clock.now_ms(),
            redis=self._registry.reachable,
            workers=len(workers),
            models=tuple(sorted({worker.model for worker in workers})),
            saving=events.Saving(on=self._saver.on, here=self._saver.election.is_leader, paused=self._saver.paused),
            history=self._history.event(),
            settings=self._settings.event(),
            disks=self._disks.troubles(),
            restored=self._restorations.last,
            sources={status.name: self._of(status) for status in self._registry.sources()},
        )

    def _of(self, status: SourceStatus) -> events.SourceStats:
        second = self._finished.get(status.name, _Second())
        return events.SourceStats(
            readings_per_s=round(second.readings / self._lasted, 1),
            stale=second.stale,
            age_ms=round(median(second.ages_ms)) if second.ages_ms else None,
            stages=_medians(second.stages),
            backlog=self._registry.backlog.get(status.name, 0),
            waiting_ms=self._registry.waiting_ms.get(status.name, 0),
            gaps=self._gaps(status.name),
            fps=round(status.fps, 1),
            frames=status.frames,
            skipped=status.skipped,
            encodes=second.encodes,
        )


def _medians(stages: list[events.Stages]) -> events.StageMedians | None:
    if not stages:
        return None
    return events.StageMedians(
        detect_ms=round(median(one.detect_ms for one in stages)),
        infer_ms=round(median(one.infer_ms for one in stages)),
        deliver_ms=round(median(one.deliver_ms for one in stages)),
    )
