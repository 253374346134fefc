"""Committing outcomes."""

from collections.abc import Sequence
from typing import Literal

import redis
import structlog
from redis.exceptions import ResponseError

from contract.broker import OUTAGES
from contract.commit import Outgoing, commit
from contract.messages import Dead, Reading
from inference_service import metrics
from inference_service.delivery import Delivery, Outcome
from inference_service.sources import Sources

logger = structlog.get_logger()


class Results:
    """The results and dead streams of all sources."""

    def __init__(self, commands: redis.Redis, sources: Sources, live_keep: int) -> None:
        self._commands = commands
        self._sources = sources
        self._live_keep = live_keep
        self.classified = 0
        """Crops that got their probabilities since the process started."""

    def commit(self, batch: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
        """Acknowledge each delivery and store its outcome, unless another worker was first."""
        outgoing: dict[str, list[Outgoing]] = {}
        for delivery, outcome in zip(batch, outcomes, strict=True):
            target: Literal["results", "dead"] = "dead" if isinstance(outcome, Dead) else "results"
            outgoing.setdefault(delivery.source, []).append(Outgoing(delivery.entry, target, outcome.fields()))
        self._commit(outgoing)
        self._count(batch, outcomes)

    def _commit(self, outgoing: dict[str, list[Outgoing]]) -> None:
        keep = {source: 0 if self._sources.is_job(source) else self._live_keep for source in outgoing}
        try:
            commit(self._commands, outgoing, keep)
        except OUTAGES:
            raise
        except ResponseError as error:
            if len(outgoing) == 1:
                # Its results or dead key is no stream. What is pending stays so until somebody mends that.
                self._sources.refuse(next(iter(outgoing)), error)
                return
            for source, one in outgoing.items():
                self._commit({source: one})

    def _count(self, batch: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
        buried: dict[str, list[Dead]] = {}
        for delivery, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Dead):
                buried.setdefault(delivery.source, []).append(outcome)
                metrics.CROPS.labels("dead").inc()
            elif isinstance(outcome, Reading):
                metrics.CROPS.labels("stale" if outcome.stale else "ok").inc()
                self.classified += not outcome.stale
        for source, dead in buried.items():
            logger.warning("buried", source=source, entries=len(dead), first=dead[0].entry, reason=dead[0].reason)
