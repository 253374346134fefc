"""The frames of one epoch of a source in their order, although several workers finish them out of order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from contract.messages import FrameDone, Manifest, Outcome, Reading

WAIT_MS = 300
"""The longest wait for a missing outcome: that of a dead-lettered crop, or of one that a dead worker holds, may never
come."""


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading and when it was stored."""

    reading: Reading
    entry_ms: int


@dataclass
class PendingFrame:
    """A frame of which an outcome has come."""

    since_ms: int
    faces: int | None = None
    """Its number of faces; None until its "frame done" has come."""
    previous: int | None = None
    """The frame that must be released before it; None: it is not known."""
    captured_ms: int = 0
    last: bool = False
    """Whether it is the end of a recording."""
    after_gap: bool = False
    """Whether the frame before it never came, for example because Redis lost it."""
    readings: dict[int, StoredReading] = field(default_factory=dict)
    """By face."""

    def in_order(self) -> list[StoredReading]:
        """The readings in the order of the faces."""
        return [self.readings[face] for face in sorted(self.readings)]


@dataclass
class ReorderBuffer:
    """Holds each frame until it is complete and the frame before it has been released.

    With one worker it releases frames at once, since "frame done" names the frame that was sent before. Times are those
    of the entries of the results stream, so that every reader of the stream decides alike.
    """

    released: int = -1
    """The last frame that was released."""
    pending: dict[int, PendingFrame] = field(default_factory=dict)
    """By frame."""

    def add(self, entry_ms: int, outcome: Outcome) -> bool:
        """Add an outcome; False if it is dropped: it is a duplicate, or its frame was released already."""
        number = outcome.id.frame
        if number <= self.released:
            return False
        pending = self.pending.setdefault(number, PendingFrame(entry_ms))
        match outcome:
            case Reading():
                if outcome.face.index in pending.readings:
                    return False
                pending.readings[outcome.face.index] = StoredReading(outcome, entry_ms)
                pending.captured_ms = outcome.captured_ms
            case FrameDone():
                pending.faces, pending.previous, pending.captured_ms = (
                    outcome.faces,
                    outcome.previous,
                    outcome.captured_ms,
                )
            case Manifest():
                pending.faces, pending.previous, pending.last = 0, number - 1, True
        return True

    def ready(self, now_ms: int) -> Iterator[PendingFrame]:
        """Release the frames that are due by `now_ms`, in Redis's time."""
        while self.pending:
            number = min(self.pending)
            if not self._is_next(self.pending[number]) and now_ms - self._waiting_since() <= WAIT_MS:
                return
            pending = self.pending.pop(number)
            # For the first frame here it is not known which frames came before.
            pending.after_gap = pending.previous is not None and -1 < self.released < pending.previous
            self.released = number
            yield pending

    def _is_next(self, frame: PendingFrame) -> bool:
        complete = frame.faces is not None and len(frame.readings) >= frame.faces
        return complete and (frame.previous is None or frame.previous <= self.released)

    def _waiting_since(self) -> int:
        return min(frame.since_ms for frame in self.pending.values())
