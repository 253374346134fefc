"""Deliveries, and the outcome of each.

These are tuples because a worker creates thousands per second, and a frozen dataclass takes several times as long.
"""

from collections.abc import Mapping
from typing import NamedTuple

from contract.messages import Dead
from contract.messages.fields import LATEST_MS
from contract.redis.commit import BatchTemplate


class Delivery(NamedTuple):
    """One entry of a crops stream that is pending for this worker."""

    source: str
    entry: bytes
    """Its id on the stream."""
    fields: dict[bytes, bytes]
    """Empty if the entry has been deleted from the stream."""
    rejection_reason: str = ""
    """If not empty, the worker dead-letters the entry with this reason instead of parsing it."""

    @property
    def stored_ms(self) -> bytes | None:
        """When the entry was stored, by the clock of Redis; None if its id is not a time."""
        stored_ms = self.entry.partition(b"-")[0]
        return stored_ms if int(stored_ms) <= LATEST_MS else None


class Reading(NamedTuple):
    """The outcome of a crop: the fields of a `contract.messages.Reading` that its batch does not share."""

    values: tuple[bytes, ...]
    """In the order of `contract.messages.fast_parse.READING_VALUES`. Without `stored_ms` the last one is missing."""
    stale: bool


class Forwarded(NamedTuple):
    """The outcome of a frame or manifest: its fields, unchanged."""

    fields: Mapping[bytes, bytes]


Outcome = Reading | Forwarded | Dead


class Outcomes(NamedTuple):
    """The outcomes of a batch."""

    template: BatchTemplate
    """The fields that the readings of the batch share."""
    each: list[Outcome]
    """One per delivery, in the same order."""
