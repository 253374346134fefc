"""Crops that may kill the process that runs them.

A crop that makes the engine raise is a matter of `poison`. One that ends the process (a crash in native code, memory)
leaves only this behind: it stays pending and is claimed by another worker. So:

- A claimed crop at its third delivery was in the hands of two workers that went silent: it is a suspect and runs alone.
- Just before, its id goes into the set `keys.quarantined(source)`; the commit takes it out again.
- A claimed crop whose id is in that set was running alone when its worker went silent: it is buried, and runs no more.

Redis also counts a delivery when a worker reads its own pending crops again after an outage. That may make an innocent
run alone, and never buries it: for that, only the set counts, and of the set only what this process did not put there.
"""

from collections.abc import Sequence

import redis

from contract import keys
from inference_service.delivery import Delivery

THIRD = 3
MARK_SECONDS = 24 * 3600

# SREM first: after a first write that frees memory, Redis lets a script go on even when it is out of memory.
_MARK = """
redis.call('SREM', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


class QuarantineTracker:
    """Tells suspects from others, and keeps the record of what is run alone."""

    def __init__(self, commands: redis.Redis, consumer: str) -> None:
        self._commands = commands
        self._consumer = consumer
        self._mine: set[tuple[str, bytes]] = set()

    def judge(self, source: str, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], list[Delivery]]:
        """Claimed or re-read deliveries of a source: those that may run together, and the suspects.

        Those that are condemned are among the first: they do not run at all.
        """
        entries = [delivery.entry for delivery in deliveries]
        pipeline = self._commands.pipeline(transaction=False)
        pipeline.smismember(keys.quarantined(source), entries)
        # Between the first and the last may lie others that this worker lost sight of, hence the generous count.
        count = 10 * len(entries) + 100
        key, group = keys.crops(source), keys.INFERENCE_GROUP
        pipeline.xpending_range(key, group, entries[0], entries[-1], count, consumername=self._consumer)
        marked, pending = pipeline.execute()
        delivered = {entry["message_id"]: int(entry["times_delivered"]) for entry in pending}
        together: list[Delivery] = []
        suspects: list[Delivery] = []
        for delivery, was_alone in zip(deliveries, marked, strict=True):
            if was_alone and (source, delivery.entry) not in self._mine:
                together.append(delivery._replace(condemned="its worker went silent while running it alone"))
            elif delivered.get(delivery.entry, 1) >= THIRD and delivery.fields.get(b"kind") == b"crop":
                suspects.append(delivery)
            else:
                together.append(delivery)
        return together, suspects

    def mark(self, delivery: Delivery) -> Delivery:
        """Write down that this one is run alone now."""
        self._mine.add((delivery.source, delivery.entry))
        self._commands.eval(_MARK, 1, keys.quarantined(delivery.source), delivery.entry, MARK_SECONDS)
        return delivery

    def acquit(self) -> None:
        """Take back what this process marked: it is about to end for a reason that is not theirs."""
        for source, entry in self._mine:
            self._commands.srem(keys.quarantined(source), entry)
        self._mine.clear()
