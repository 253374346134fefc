"""What a worker is handed, and what becomes of it.

Tuples, since a worker makes thousands a second and a frozen dataclass takes several times as long to make.
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
    """Empty if the entry was deleted from the stream since."""
    condemned: str = ""
    """Why it is to be buried without being looked at; mostly empty."""

    @property
    def stored_ms(self) -> bytes | None:
        """When the entry was stored, in Redis's time; None if somebody chose an id that is no time."""
        stored_ms = self.entry.partition(b"-")[0]
        return stored_ms if int(stored_ms) <= LATEST_MS else None


class Reading(NamedTuple):
    """The outcome of a crop: a `contract.messages.Reading`, but only what it has of its own."""

    values: tuple[bytes, ...]
    """As `contract.messages.fast_parse.READING_VALUES` names them; those without a time of storing lack the last."""
    stale: bool


class Passed(NamedTuple):
    """The outcome of a frame or manifest: its fields, as they came."""

    fields: Mapping[bytes, bytes]


Outcome = Reading | Passed | Dead


class Outcomes(NamedTuple):
    """What became of a batch."""

    form: BatchTemplate
    """Of its readings."""
    each: list[Outcome]
    """One a delivery, in their order."""
