"""What came of a job: exactly one outcome for every crop, in the order of the frames."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contract.messages import Face, FrameDone, Outcome, Reading

CropPlace = tuple[int, int]
"""Frame and index of a face in it: what names a crop within one job."""


@dataclass(frozen=True, slots=True)
class Buried:
    """A crop that could not be classified, with the reason; of its time and place only what is known still."""

    frame: int
    index: int
    reason: str
    captured_ms: int | None = None
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class FrameOutcome:
    """A frame whose faces all have their outcome, in the order of the faces."""

    done: FrameDone
    faces: tuple[Reading | Buried, ...]


@dataclass
class _Frame:
    done: FrameDone | None = None
    faces: dict[int, Reading | Buried] = field(default_factory=dict)

    @property
    def outcome(self) -> FrameOutcome | None:
        """None until it is complete."""
        if self.done is None or len(self.faces) < self.done.faces:
            return None
        return FrameOutcome(self.done, tuple(self.faces[index] for index in sorted(self.faces)))


class Outcomes:
    """Gathers the outcomes of one job, whatever their order, and drops those that came before.

    Outcomes can come twice: a Redis that dies may forget the last second, so that crops are classified again; and what
    seemed lost is sent again.
    """

    def __init__(self) -> None:
        self._frames: dict[int, _Frame] = {}
        self.handed_out = 0
        self.repeated = 0
        self.unreadable: list[FrameDone] = []
        """The frames among those handed out that could not be read; each one's `note` says why."""

    def add(self, outcome: Outcome | Buried) -> None:
        """Take one outcome; a repeated one is only counted."""
        match outcome:
            case FrameDone():
                if (frame := self._frame(outcome.id.frame)) is not None and frame.done is None:
                    frame.done = outcome
                else:
                    self.repeated += 1
            case Reading():
                self._add_face(outcome.id.frame, outcome.face.index, outcome)
            case Buried():
                self._add_face(outcome.frame, outcome.index, outcome)

    def complete_frames(self) -> Iterator[FrameOutcome]:
        """Each frame that is complete and next in order, handed out once."""
        while (frame := self._frames.get(self.handed_out)) is not None and (outcome := frame.outcome) is not None:
            if outcome.done.note:
                self.unreadable.append(outcome.done)
            yield outcome
            del self._frames[self.handed_out]
            self.handed_out += 1

    def missing(self, sent: Mapping[int, int]) -> tuple[set[int], set[CropPlace]]:
        """Which frames' ends, and which crops, of those sent (frame -> faces) have no outcome yet."""
        frames: set[int] = set()
        crops: set[CropPlace] = set()
        for number, faces in sent.items():
            if number < self.handed_out:
                continue
            frame = self._frames.get(number, _Frame())
            if frame.done is None:
                frames.add(number)
            crops.update((number, face) for face in range(faces) if face not in frame.faces)
        return frames, crops

    def _add_face(self, frame_number: int, index: int, outcome: Reading | Buried) -> None:
        frame = self._frame(frame_number)
        if frame is None or index in frame.faces:
            self.repeated += 1
        else:
            frame.faces[index] = outcome

    def _frame(self, number: int) -> _Frame | None:
        """The frame, unless it was handed out already."""
        return None if number < self.handed_out else self._frames.setdefault(number, _Frame())
