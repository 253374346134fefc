"""What an analysis counts while its outcomes come."""

from collections import Counter

from contract.judgement import judge
from contract.messages import FrameDone, Reading
from jobs_service.outputs.outcomes import Buried, FrameOutcome


class AnalysisCounts:
    """The figures of one analysis."""

    def __init__(self) -> None:
        self.frames = 0
        self.faces = 0
        self.last_ms = 0
        """Time of the last frame."""
        self.models: Counter[str] = Counter()
        """`name@version` -> readings."""
        self.tracks: set[int] = set()
        self.emotions: Counter[str] = Counter()
        """As each frame alone supports them."""
        self.flaws: Counter[str] = Counter()
        """Why faces can hardly be judged -> how many."""
        self.buried: list[Buried] = []
        self.unreadable: list[FrameDone] = []
        """Frames that could not be read; each one's `note` says why."""

    def add(self, frame: FrameOutcome) -> None:
        """Count one more frame and its faces."""
        self.frames += 1
        self.faces += len(frame.faces)
        self.last_ms = max(self.last_ms, frame.done.captured_ms)
        if frame.done.note:
            self.unreadable.append(frame.done)
        for face in frame.faces:
            if isinstance(face, Reading):
                self._add_reading(face)
            else:
                self._add_buried(face)

    def _add_reading(self, reading: Reading) -> None:
        probabilities = dict(zip(reading.labels, reading.probabilities, strict=True))
        self.emotions[judge(probabilities, reading.thresholds).emotion] += 1
        self.models[reading.model] += 1
        self.tracks.add(reading.face.track)
        self.flaws.update(reading.face.quality.flaws)

    def _add_buried(self, buried: Buried) -> None:
        self.buried.append(buried)
        if buried.face is not None:
            self.tracks.add(buried.face.track)
