"""Reading the crops streams: fairly between sources, without losing a delivered entry."""

import time
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import redis
from redis.exceptions import ResponseError

from contract import keys
from contract.errors import BrokerUnavailable, reason_of
from contract.redis.broker import BLOCK_MS, OUTAGES
from inference_service.claims import Claims
from inference_service.delivery import Delivery
from inference_service.quarantine import QuarantineTracker
from inference_service.sources import Sources

NO_SOURCE_SECONDS = 0.1
JOBS_SHARE = 4
"""Jobs get at least this fraction of a batch (1/4), however busy the cameras are."""


class Crops:
    """All crops streams, read as one consumer of the workers' group.

    Every command that makes Redis deliver goes through the blocking client, which does not retry. A lost reply is
    therefore an error, after which the worker reads its own pending entries again.
    """

    def __init__(
        self,
        blocking: redis.Redis,
        consumer: str,
        sources: Sources,
        claims: Claims,
        quarantine: QuarantineTracker,
        *,
        batch: int,
        linger: timedelta,
    ) -> None:
        self._blocking = blocking
        # The raw reply: converting it in redis-py costs more than everything that is done with it here.
        blocking.set_response_callback("XREADGROUP", _raw_reply)
        self._consumer = consumer
        self._sources = sources
        self._claims = claims
        self._quarantine = quarantine
        self._batch = batch
        self._linger = linger
        self._must_reread = False
        self._quarantined: deque[Delivery] = deque()
        self._turn = 0
        self._busy = False

    def next_batch(self) -> list[Delivery]:
        """The next batch to classify; empty after at most `BLOCK_MS`."""
        self._sources.refresh()
        try:
            return self.next_pending() or self._claim() or self._read_new()
        except OUTAGES:
            raise
        except ResponseError as error:
            # Nearly always NOGROUP: Redis was flushed, or restarted without its data.
            self._sources.forget_groups()
            raise BrokerUnavailable(reason_of(error)) from error

    def reread_pending(self) -> None:
        """After a failure between reading and committing: read this worker's pending entries before new ones."""
        self._quarantined.clear()
        self._must_reread = True

    def next_pending(self) -> list[Delivery]:
        """Entries that were delivered to this worker before and are not committed."""
        if self._must_reread and not self._quarantined:
            own = self._read_own()
            self._must_reread = bool(own)
            if batch := self._triage(own.items()):
                return batch
        return [self._quarantine.record(self._quarantined.popleft())] if self._quarantined else []

    def _read_own(self) -> dict[str, list[Delivery]]:
        names = self._sources.names
        return self._read(names, _share(names, self._batch), after="0") if names else {}

    def _claim(self) -> list[Delivery]:
        names = self._sources.names
        claimed = self._claims.claim(names, _share(names, self._batch))
        if not claimed:
            return []
        return self._triage(claimed.items()) or self.next_pending()

    def _triage(self, deliveries: Iterable[tuple[str, list[Delivery]]]) -> list[Delivery]:
        batch: list[Delivery] = []
        for source, delivered in deliveries:
            together, quarantined = self._quarantine.triage(source, delivered)
            batch += together
            self._quarantined += quarantined
        return batch

    def _read_new(self) -> list[Delivery]:
        names = self._sources.names
        if not names:
            time.sleep(NO_SOURCE_SECONDS)
            return []
        if self._busy and (batch := self._read_lingering()):
            return batch
        share = _share(names, self._batch)
        delivered = self._read(names, share, block=BLOCK_MS)
        # A source that filled its share has more. Otherwise the next read may block at once, without a read before it.
        self._busy = any(len(deliveries) >= share for deliveries in delivered.values())
        return _flat(delivered)

    def _read_lingering(self) -> list[Delivery]:
        """Entries that have been added already. Work is waiting anyway, so a short pause yields a fuller batch."""
        batch = self._read_added(self._batch)
        if batch and len(batch) < self._batch:
            time.sleep(self._linger.total_seconds())
            batch += self._read_added(self._batch - len(batch))
        return batch

    def _read_added(self, room: int) -> list[Delivery]:
        """Entries that have been added already: a share for each live source, the rest (at least 1/4) for jobs."""
        live, jobs = self._rotated(self._sources.live), self._rotated(self._sources.jobs)
        self._turn += 1
        batch = self._read_some(live, room - room // JOBS_SHARE if jobs else room)
        return batch + self._read_some(jobs, max(1, room - len(batch)))

    def _read_some(self, names: tuple[str, ...], room: int) -> list[Delivery]:
        names = names[:room]
        return _flat(self._read(names, _share(names, room))) if names else []

    def _read(
        self, names: tuple[str, ...], count: int, *, after: str = ">", block: int | None = None
    ) -> dict[str, list[Delivery]]:
        streams: Any = {keys.crops(name): after for name in names}
        reply: Any = self._blocking.xreadgroup(keys.INFERENCE_GROUP, self._consumer, streams, count=count, block=block)
        by_key = {keys.crops(name).encode(): name for name in names}
        return {
            by_key[key]: [Delivery(by_key[key], entry, _paired(parts)) for entry, parts in entries]
            for key, entries in reply or ()
            if entries
        }

    def _rotated(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Rotated, so that with more sources than places in a batch each source comes first in turn."""
        at = self._turn % len(names) if names else 0
        return names[at:] + names[:at]


def _share(names: tuple[str, ...], room: int) -> int:
    """The COUNT for `room` places: Redis applies it to each stream separately."""
    return max(1, room // len(names)) if names else 1


def _flat(deliveries: dict[str, list[Delivery]]) -> list[Delivery]:
    return [delivery for of_source in deliveries.values() for delivery in of_source]


def _raw_reply(reply: Any, **_: object) -> Any:  # noqa: ANN401 - of any shape
    return reply


def _paired(parts: list[bytes] | None) -> dict[bytes, bytes]:
    """Alternating names and values as a mapping; Redis sends none for a deleted entry."""
    return dict(zip(parts[::2], parts[1::2], strict=True)) if parts else {}
