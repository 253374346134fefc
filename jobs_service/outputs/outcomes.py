"""The outcomes of a job: exactly one for every crop, in the order of the frames."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from contract.messages import Face, FrameDone, FrameId, Outcome, Reading

CropKey = tuple[int, int]
"""Frame and index of a face in it: identifies a crop within one job."""


@dataclass(frozen=True, slots=True)
class UnclassifiedFace:
    """A dead-lettered crop: it could not be classified. Its time and place are None if they are not known."""

    frame: int
    index: int
    reason: str
    captured_ms: int | None = None
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class FrameOutcome:
    """A frame whose faces all have their outcome, in the order of the faces."""

    done: FrameDone
    faces: tuple[Reading | UnclassifiedFace, ...]

    def renamed(self, source: str, epoch: str) -> "FrameOutcome":
        """The same as a frame of another source."""
        name = FrameId(source, epoch, self.done.id.frame)
        faces = (replace(face, id=name) if isinstance(face, Reading) else face for face in self.faces)
        return FrameOutcome(replace(self.done, id=name), tuple(faces))


@dataclass
class _Frame:
    done: FrameDone | None = None
    faces: dict[int, Reading | UnclassifiedFace] = field(default_factory=dict)

    @property
    def outcome(self) -> FrameOutcome | None:
        """None until it is complete."""
        if self.done is None or len(self.faces) < self.done.faces:
            return None
        return FrameOutcome(self.done, tuple(self.faces[index] for index in sorted(self.faces)))


class Outcomes:
    """Collects the outcomes of one job in any order, and drops duplicates.

    An outcome can arrive twice: a Redis that dies may lose its last second, so that crops are classified again, and
    what seemed lost is sent again.
    """

    def __init__(self) -> None:
        self._frames: dict[int, _Frame] = {}
        self.completed = 0
        """Frames that `complete_frames` has returned, and the number of the next one."""
        self.duplicates = 0

    def add(self, outcome: Outcome | UnclassifiedFace) -> None:
        """Add one outcome; a duplicate is only counted."""
        match outcome:
            case FrameDone():
                if (frame := self._frame(outcome.id.frame)) is not None and frame.done is None:
                    frame.done = outcome
                else:
                    self.duplicates += 1
            case Reading():
                self._add_face(outcome.id.frame, outcome.face.index, outcome)
            case UnclassifiedFace():
                self._add_face(outcome.frame, outcome.index, outcome)

    def complete_frames(self) -> Iterator[FrameOutcome]:
        """The next frames in order while they are complete; each one once."""
        while (frame := self._frames.get(self.completed)) is not None and (outcome := frame.outcome) is not None:
            yield outcome
            del self._frames[self.completed]
            self.completed += 1

    def missing(self, sent: Mapping[int, int]) -> tuple[set[int], set[CropKey]]:
        """Which frames' ends, and which crops, of those sent (frame -> faces) have no outcome yet."""
        frames: set[int] = set()
        crops: set[CropKey] = set()
        for number, faces in sent.items():
            if number < self.completed:
                continue
            frame = self._frames.get(number, _Frame())
            if frame.done is None:
                frames.add(number)
            crops.update((number, face) for face in range(faces) if face not in frame.faces)
        return frames, crops

    def _add_face(self, frame_number: int, index: int, outcome: Reading | UnclassifiedFace) -> None:
        frame = self._frame(frame_number)
        if frame is None or index in frame.faces:
            self.duplicates += 1
        else:
            frame.faces[index] = outcome

    def _frame(self, number: int) -> _Frame | None:
        """The frame; None if it was returned already."""
        return None if number < self.completed else self._frames.setdefault(number, _Frame())
