"""The figures of an analysis."""

from collections import Counter
from collections.abc import Iterator

from contract.messages import FrameDone, Reading
from jobs_service.outputs.outcomes import FrameOutcome, UnclassifiedFace


class AnalysisCounts:
    """Counts the frames, faces and faults of one recording."""

    def __init__(self) -> None:
        self.frames = 0
        self.stated_frames: int | None = None
        """How many frames the recording states; None if it does not."""
        self.faces = 0
        self.last_ms = 0
        """Time of the last frame."""
        self.models: Counter[str] = Counter()
        """`name@version` -> readings."""
        self.workers: set[str] = set()
        """Those that classified the faces."""
        self.tracks: set[int] = set()
        self.emotions: Counter[str] = Counter()
        """Emotion -> readings, smoothed over time, as the report, the episodes and the JSON lines show them."""
        self.flaws: Counter[str] = Counter()
        """Quality flaw -> faces."""
        self.unclassified: list[UnclassifiedFace] = []
        self.unreadable: list[FrameDone] = []
        """Frames that could not be decoded; the `note` of each one gives the reason."""

    def add(self, frame: FrameOutcome) -> None:
        """Count the next frame and its faces."""
        self.frames += 1
        self.faces += len(frame.faces)
        self.last_ms = max(self.last_ms, frame.done.captured_ms)
        if frame.done.note:
            self.unreadable.append(frame.done)
        for face in frame.faces:
            if isinstance(face, Reading):
                self._add_reading(face)
            else:
                self._add_unclassified(face)

    def warnings(self) -> Iterator[str]:
        """What is missing from the results, one sentence each; none for a sound recording."""
        if self.unreadable:
            first = self.unreadable[0]
            count = plural(len(self.unreadable), "frame")
            yield f"{count} could not be read, the first is number {first.id.frame}: {first.note}"
        if self.stated_frames is not None and self.frames < self.stated_frames:
            yield f"The recording ended at {self.frames} of the {self.stated_frames} frames that it states."
        if self.unclassified:
            one, count = self.unclassified[0], plural(len(self.unclassified), "face")
            yield f"{count} could not be classified, the first in frame {one.frame}: {one.reason}"

    def _add_reading(self, reading: Reading) -> None:
        self.models[reading.model] += 1
        self.workers.add(reading.worker)
        self.tracks.add(reading.face.track)
        self.flaws.update(reading.face.quality.flaws)

    def _add_unclassified(self, unclassified: UnclassifiedFace) -> None:
        self.unclassified.append(unclassified)
        if unclassified.face is not None:
            self.tracks.add(unclassified.face.track)


def plural(count: int, noun: str) -> str:
    """`1 frame`, `2,000 frames`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
