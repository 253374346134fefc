"""Claiming the pending entries of workers that no longer answer."""

import time

import redis

from contract import keys
from inference_service.delivery import Delivery

LONGEST_PAUSE_SECONDS = 1.0


class Claims:
    """Claims entries that have been pending for too long, whichever consumer holds them."""

    def __init__(self, blocking: redis.Redis, consumer: str, after_ms: int) -> None:
        self._blocking = blocking
        self._consumer = consumer
        self._after_ms = after_ms
        self._pause = min(LONGEST_PAUSE_SECONDS, after_ms / 4000)
        self._cursors: dict[str, bytes] = {}
        self._polled = float("-inf")

    def claim(self, sources: tuple[str, ...], count: int) -> dict[str, list[Delivery]]:
        """Up to `count` deliveries per source. Polls about once a second, and again at once after it found some."""
        if not sources or time.monotonic() - self._polled < self._pause:
            return {}
        pipeline = self._blocking.pipeline(transaction=False)
        for source in sources:
            pipeline.xautoclaim(
                keys.crops(source),
                keys.INFERENCE_GROUP,
                self._consumer,
                self._after_ms,
                # A call scans only ten times `count` entries, so the next call continues where it ended.
                start_id=self._cursors.get(source, b"0-0"),
                count=count,
            )
        claimed = {}
        for source, (cursor, entries, *_) in zip(sources, pipeline.execute(), strict=True):
            self._cursors[source] = cursor
            if entries:
                claimed[source] = [Delivery(source, entry, fields) for entry, fields in entries]
        if not claimed:
            self._polled = time.monotonic()
        return claimed
