"""Crops that may end the process that classifies them.

A crop that makes the engine raise is a matter of `poison`. A crop that ends the process (a crash in native code, no
memory) leaves one trace: it stays pending, and another worker claims it. Therefore:

- A crop at its third delivery was held by two workers that stopped answering: it is quarantined (runs alone).
- Just before it runs, its id is added to the set `keys.quarantined(source)`; the commit removes it.
- A claimed crop whose id is in that set was running alone when its worker stopped answering: it is dead-lettered and
  never runs again.

Redis also counts a delivery when a worker reads its own pending crops again after an outage. Such a crop may run alone,
but it is not dead-lettered for that: only the set decides, without the ids that this process added.
"""

from collections.abc import Sequence

import redis

from contract import keys
from inference_service.delivery import Delivery

QUARANTINE_DELIVERIES = 3
MARK_SECONDS = 24 * 3600

# SREM first: Redis lets a script continue out of memory if its first write frees memory.
_MARK = """
redis.call('SREM', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


class QuarantineTracker:
    """Selects the deliveries that must run alone, and records those that do."""

    def __init__(self, commands: redis.Redis, consumer: str) -> None:
        self._commands = commands
        self._consumer = consumer
        self._recorded: set[tuple[str, bytes]] = set()

    def triage(self, source: str, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], list[Delivery]]:
        """Claimed or re-read deliveries of a source: those of the batch, and those that must run alone.

        The batch includes deliveries with a rejection reason, which do not run at all.
        """
        entries = [delivery.entry for delivery in deliveries]
        pipeline = self._commands.pipeline(transaction=False)
        pipeline.smismember(keys.quarantined(source), entries)
        # Other pending entries of this worker may lie between the first and the last, hence the large count.
        count = 10 * len(entries) + 100
        key, group = keys.crops(source), keys.INFERENCE_GROUP
        pipeline.xpending_range(key, group, entries[0], entries[-1], count, consumername=self._consumer)
        marked, pending = pipeline.execute()
        delivered = {entry["message_id"]: int(entry["times_delivered"]) for entry in pending}
        batch: list[Delivery] = []
        quarantined: list[Delivery] = []
        for delivery, was_alone in zip(deliveries, marked, strict=True):
            if was_alone and (source, delivery.entry) not in self._recorded:
                batch.append(delivery._replace(rejection_reason="its worker stopped answering while running it alone"))
            elif delivered.get(delivery.entry, 1) >= QUARANTINE_DELIVERIES and delivery.fields.get(b"kind") == b"crop":
                quarantined.append(delivery)
            else:
                batch.append(delivery)
        return batch, quarantined

    def record(self, delivery: Delivery) -> Delivery:
        """Record that this delivery runs alone now, and return it."""
        self._recorded.add((delivery.source, delivery.entry))
        self._commands.eval(_MARK, 1, keys.quarantined(delivery.source), delivery.entry, MARK_SECONDS)
        return delivery

    def release(self) -> None:
        """Remove the records of this process, which ends for a reason other than these crops."""
        for source, entry in self._recorded:
            self._commands.srem(keys.quarantined(source), entry)
        self._recorded.clear()
