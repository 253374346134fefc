"""What a worker is handed, and what becomes of it."""

from dataclasses import dataclass

from contract.messages import Dead, FrameDone, Manifest, Reading
from contract.messages.fields import LATEST_MS


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry of a crops stream that is pending for this worker."""

    source: str
    entry: bytes
    """Its id on the stream."""
    fields: dict[bytes, bytes]
    """Empty if the entry was deleted from the stream since."""
    condemned: str = ""
    """Why it is to be buried without being looked at; mostly empty."""

    @property
    def stored_ms(self) -> int | None:
        """When the entry was stored, in Redis's time; None if somebody chose an id that is no time."""
        stored_ms = int(self.entry.split(b"-")[0])
        return stored_ms if stored_ms <= LATEST_MS else None


Outcome = Reading | FrameDone | Manifest | Dead
