"""Committing outcomes."""

from collections.abc import Sequence

import redis
import structlog
from redis.exceptions import ResponseError

from contract.messages import Dead
from contract.redis.broker import OUTAGES
from contract.redis.commit import BatchTemplate, Outgoing, TemplateResult, commit
from inference_service import metrics
from inference_service.delivery import Delivery, Forwarded, Outcome, Outcomes, Reading
from inference_service.sources import Sources

logger = structlog.get_logger()


class Results:
    """The results and dead streams of all sources."""

    def __init__(self, commands: redis.Redis, sources: Sources, live_keep: int) -> None:
        self._commands = commands
        self._sources = sources
        self._live_keep = live_keep
        self.classified = 0
        """Crops that were classified since the process started."""

    def commit(self, batch: Sequence[Delivery], outcomes: Outcomes) -> None:
        """Acknowledge each delivery and store its outcome, unless another worker has already done so."""
        outgoing: dict[str, list[Outgoing | TemplateResult]] = {}
        for delivery, outcome in zip(batch, outcomes.each, strict=True):
            one = _outgoing(delivery.entry, outcome, outcomes.template)
            outgoing.setdefault(delivery.source, []).append(one)
        self._commit(outgoing, outcomes.template)
        self._count(batch, outcomes.each)

    def _commit(self, outgoing: dict[str, list[Outgoing | TemplateResult]], template: BatchTemplate) -> None:
        keep = {source: 0 if self._sources.is_job(source) else self._live_keep for source in outgoing}
        try:
            commit(self._commands, outgoing, keep, template)
        except OUTAGES:
            raise
        except ResponseError as error:
            if len(outgoing) == 1:
                # Its results or dead key is not a stream. Its entries stay pending until an operator corrects that.
                self._sources.refuse(next(iter(outgoing)), error)
                return
            for source, one in outgoing.items():
                self._commit({source: one}, template)

    def _count(self, batch: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
        readings = [outcome for outcome in outcomes if isinstance(outcome, Reading)]
        stale = sum(reading.stale for reading in readings)
        self.classified += len(readings) - stale
        dead_letters: dict[str, list[Dead]] = {}
        for delivery, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Dead):
                dead_letters.setdefault(delivery.source, []).append(outcome)
        dead = sum(map(len, dead_letters.values()))
        for name, crops in (("ok", len(readings) - stale), ("stale", stale), ("dead", dead)):
            metrics.CROPS.labels(name).inc(crops)
        for source, letters in dead_letters.items():
            logger.warning(
                "dead-lettered", source=source, entries=len(letters), first=letters[0].entry, reason=letters[0].reason
            )


def _outgoing(entry: bytes, outcome: Outcome, template: BatchTemplate) -> Outgoing | TemplateResult:
    if isinstance(outcome, Reading):
        if len(outcome.values) == len(template.names):
            return TemplateResult(entry, outcome.values)
        return Outgoing(entry, "results", template.filled(outcome.values))
    if isinstance(outcome, Forwarded):
        return Outgoing(entry, "results", outcome.fields)
    return Outgoing(entry, "dead", outcome.fields())
