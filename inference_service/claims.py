"""What workers that went silent left behind."""

import time

import redis

from contract import keys
from inference_service.delivery import Delivery

LONGEST_PAUSE_SECONDS = 1.0


class Claims:
    """Takes over crops that have been pending too long, whoever had them."""

    def __init__(self, blocking: redis.Redis, consumer: str, after_ms: int) -> None:
        self._blocking = blocking
        self._consumer = consumer
        self._after_ms = after_ms
        self._pause = min(LONGEST_PAUSE_SECONDS, after_ms / 4000)
        self._cursors: dict[str, bytes] = {}
        self._looked = float("-inf")

    def claim(self, sources: tuple[str, ...], count: int) -> dict[str, list[Delivery]]:
        """Up to `count` deliveries a source; looks about once a second, and at once again after it found some."""
        if not sources or time.monotonic() - self._looked < self._pause:
            return {}
        pipeline = self._blocking.pipeline(transaction=False)
        for source in sources:
            pipeline.xautoclaim(
                keys.crops(source),
                keys.INFERENCE_GROUP,
                self._consumer,
                self._after_ms,
                # A call looks at ten times `count` entries only, so the next one goes on where it ended.
                start_id=self._cursors.get(source, b"0-0"),
                count=count,
            )
        claimed = {}
        for source, (cursor, entries, *_) in zip(sources, pipeline.execute(), strict=True):
            self._cursors[source] = cursor
            if entries:
                claimed[source] = [Delivery(source, entry, fields) for entry, fields in entries]
        if not claimed:
            self._looked = time.monotonic()
        return claimed
