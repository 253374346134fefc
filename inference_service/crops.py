"""Reading the crops streams: fairly between sources, and nothing that was delivered is forgotten."""

import time
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import redis
from redis.exceptions import ResponseError

from contract import keys
from contract.errors import BrokerUnavailable
from contract.redis.broker import BLOCK_MS, OUTAGES
from inference_service.claims import Claims
from inference_service.delivery import Delivery
from inference_service.quarantine import QuarantineTracker
from inference_service.sources import Sources

NO_SOURCE_SECONDS = 0.1
JOBS_SHARE = 4
"""Jobs get at least one in so many places of a batch, however busy the cameras are."""


class Crops:
    """All crops streams, read as one consumer of the workers' group.

    Everything that makes Redis deliver goes through the blocking client, which does not retry: a reply that is lost is
    then an error that is seen, and after it the worker reads its own pending entries again.
    """

    def __init__(
        self,
        blocking: redis.Redis,
        consumer: str,
        sources: Sources,
        claims: Claims,
        suspects: QuarantineTracker,
        *,
        batch: int,
        linger: timedelta,
    ) -> None:
        self._blocking = blocking
        # The reply as Redis sends it: what redis-py makes of it costs more than all that is done with it here.
        blocking.set_response_callback("XREADGROUP", _as_it_is)
        self._consumer = consumer
        self._sources = sources
        self._claims = claims
        self._suspects = suspects
        self._batch = batch
        self._linger = linger
        self._reread = False
        self._alone: deque[Delivery] = deque()
        self._turn = 0
        self._busy = False

    def next_batch(self) -> list[Delivery]:
        """What to classify next, or nothing after at most `BLOCK_MS`."""
        self._sources.refresh()
        try:
            return self.unfinished() or self._claimed() or self._new()
        except OUTAGES:
            raise
        except ResponseError as error:
            # Nearly always NOGROUP: somebody flushed Redis, or it came back without its data.
            self._sources.forget_groups()
            raise BrokerUnavailable(str(error)) from error

    def lost_sight(self) -> None:
        """Something went wrong between reading and committing: read the own pending entries before anything new."""
        self._alone.clear()
        self._reread = True

    def unfinished(self) -> list[Delivery]:
        """What this worker has been handed before and not committed."""
        if self._reread and not self._alone:
            own = self._own()
            self._reread = bool(own)
            if together := self._judged(own.items()):
                return together
        return [self._suspects.mark(self._alone.popleft())] if self._alone else []

    def _own(self) -> dict[str, list[Delivery]]:
        names = self._sources.names
        return self._read(names, _share(names, self._batch), after="0") if names else {}

    def _claimed(self) -> list[Delivery]:
        names = self._sources.names
        claimed = self._claims.claim(names, _share(names, self._batch))
        if not claimed:
            return []
        return self._judged(claimed.items()) or self.unfinished()

    def _judged(self, deliveries: Iterable[tuple[str, list[Delivery]]]) -> list[Delivery]:
        batch: list[Delivery] = []
        for source, handed in deliveries:
            together, suspects = self._suspects.judge(source, handed)
            batch += together
            self._alone += suspects
        return batch

    def _new(self) -> list[Delivery]:
        names = self._sources.names
        if not names:
            time.sleep(NO_SOURCE_SECONDS)
            return []
        if self._busy and (batch := self._patiently_queued()):
            return batch
        share = _share(names, self._batch)
        handed = self._read(names, share, block=BLOCK_MS)
        # Who had a whole share to give has more. Else the next read may wait at once, without looking before.
        self._busy = any(len(deliveries) >= share for deliveries in handed.values())
        return _flat(handed)

    def _patiently_queued(self) -> list[Delivery]:
        """What has been added already. Work is waiting anyway, so a little patience buys a fuller batch."""
        batch = self._queued(self._batch)
        if batch and len(batch) < self._batch:
            time.sleep(self._linger.total_seconds())
            batch += self._queued(self._batch - len(batch))
        return batch

    def _queued(self, room: int) -> list[Delivery]:
        """What has been added already: each live source its share, and jobs what is left, at least their part."""
        live, jobs = self._rotated(self._sources.live), self._rotated(self._sources.jobs)
        self._turn += 1
        batch = self._some(live, room - room // JOBS_SHARE if jobs else room)
        return batch + self._some(jobs, max(1, room - len(batch)))

    def _some(self, names: tuple[str, ...], room: int) -> list[Delivery]:
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
        """With more sources than places in a batch, each comes first in its turn."""
        at = self._turn % len(names) if names else 0
        return names[at:] + names[:at]


def _share(names: tuple[str, ...], room: int) -> int:
    """COUNT for so many places: Redis counts for each stream by itself."""
    return max(1, room // len(names)) if names else 1


def _flat(deliveries: dict[str, list[Delivery]]) -> list[Delivery]:
    return [delivery for handed in deliveries.values() for delivery in handed]


def _as_it_is(reply: Any, **_: object) -> Any:  # noqa: ANN401 - of any shape
    return reply


def _paired(parts: list[bytes] | None) -> dict[bytes, bytes]:
    """Names and values in turns as a mapping; Redis sends none for an entry that was deleted."""
    return dict(zip(parts[::2], parts[1::2], strict=True)) if parts else {}
