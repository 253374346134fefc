"""The frames of one run of a source in their order, although several workers finish them out of order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from contract.messages import FrameDone, Manifest, Outcome, Reading

WAIT_MS = 300
"""A frame waits no longer for what is missing: a crop that was buried, or that a dead worker holds, may never come."""


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading and when it was stored."""

    reading: Reading
    entry_ms: int


@dataclass
class PendingFrame:
    """A frame of which something has come."""

    since_ms: int
    faces: int | None = None
    """How many it has; None until its "frame done" has come."""
    previous: int | None = None
    """The frame that has to come before it; None: nobody said that there is one."""
    captured_ms: int = 0
    last: bool = False
    """Whether it is the end of a recording."""
    after_gap: bool = False
    """Whether the frame that has to come before it never came, as when Redis lost it."""
    readings: dict[int, StoredReading] = field(default_factory=dict)
    """By face."""

    def in_order(self) -> list[StoredReading]:
        """The readings in the order of the faces."""
        return [self.readings[face] for face in sorted(self.readings)]


@dataclass
class ReorderBuffer:
    """Holds each frame until it is complete and the one before it has been released.

    With one worker that is at once: "frame done" says which frame was sent before. Times are those of the entries of
    the results stream, so that every reader of the stream decides the same.
    """

    released: int = -1
    """The last frame that was handed on."""
    held: dict[int, PendingFrame] = field(default_factory=dict)
    """By frame."""

    def add(self, entry_ms: int, outcome: Outcome) -> bool:
        """Take one outcome; False if it is dropped: it came before, or too late for its place."""
        number = outcome.id.frame
        if number <= self.released:
            return False
        held = self.held.setdefault(number, PendingFrame(entry_ms))
        match outcome:
            case Reading():
                if outcome.face.index in held.readings:
                    return False
                held.readings[outcome.face.index] = StoredReading(outcome, entry_ms)
                held.captured_ms = outcome.captured_ms
            case FrameDone():
                held.faces, held.previous, held.captured_ms = outcome.faces, outcome.previous, outcome.captured_ms
            case Manifest():
                held.faces, held.previous, held.last = 0, number - 1, True
        return True

    def ready(self, now_ms: int) -> Iterator[PendingFrame]:
        """The frames whose turn has come by `now_ms`, in Redis's time; each once."""
        while self.held:
            number = min(self.held)
            if not self._is_next(self.held[number]) and now_ms - self._waiting_since() <= WAIT_MS:
                return
            held = self.held.pop(number)
            # Of what was before the first one that came here, nobody knows what else has come.
            held.after_gap = held.previous is not None and -1 < self.released < held.previous
            self.released = number
            yield held

    def _is_next(self, held: PendingFrame) -> bool:
        complete = held.faces is not None and len(held.readings) >= held.faces
        return complete and (held.previous is None or held.previous <= self.released)

    def _waiting_since(self) -> int:
        return min(held.since_ms for held in self.held.values())
