"""What a worker is handed, and what becomes of it."""

from dataclasses import dataclass

from contract.messages import Dead, FrameDone, Manifest, Reading


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


Outcome = Reading | FrameDone | Manifest | Dead
