"""An episode while it runs: one track shows one emotion."""

from dataclasses import dataclass

from contract import events
from contract.judgement import Judgement
from contract.messages import Reading
from postprocessing.smoothing import quality_weight

UPDATE_MS = 500
"""Between two updates of an episode, in the time of its frames."""


@dataclass
class EpisodeBuilder:
    """A running episode."""

    id: str
    emotion: str
    first: Reading
    start_ms: int
    end_ms: int
    updated_ms: int
    """The time of the reading of the last event."""
    peak: events.Peak
    best_face: events.BestFace
    best_score: float
    """Of the best face: confidence times the weight of its quality."""
    confidences: float = 0.0
    """The sum of the confidences, in percent."""
    readings: int = 0

    @classmethod
    def begin(cls, reading: Reading, judgement: Judgement) -> "EpisodeBuilder":
        """The episode that begins with this reading; the reading is not added yet."""
        name = reading.id
        return cls(
            id=f"{name.source}-{name.epoch}-{reading.face.track}-{name.frame}",
            emotion=judgement.emotion,
            first=reading,
            start_ms=reading.captured_ms,
            end_ms=reading.captured_ms,
            updated_ms=reading.captured_ms,
            peak=_peak(reading, judgement),
            best_face=_face(reading),
            best_score=0.0,
        )

    def add(self, reading: Reading, judgement: Judgement) -> None:
        """One more reading of the same emotion."""
        self.end_ms = max(self.end_ms, reading.captured_ms)
        self.confidences += judgement.confidence
        self.readings += 1
        if judgement.confidence > self.peak.confidence:
            self.peak = _peak(reading, judgement)
        if (score := quality_weight(reading.face.quality) * judgement.confidence) > self.best_score:
            self.best_score, self.best_face = score, _face(reading)

    def take_update(self) -> bool:
        """Whether an update is due; if so, it counts as published."""
        if self.end_ms - self.updated_ms < UPDATE_MS:
            return False
        self.updated_ms = self.end_ms
        return True

    def to_event(self, phase: events.Phase) -> events.Episode:
        """The event, with the figures so far."""
        return events.Episode(
            phase=phase,
            id=self.id,
            source=self.first.id.source,
            epoch=self.first.id.epoch,
            track=self.first.face.track,
            emotion=self.emotion,
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            duration_ms=self.end_ms - self.start_ms,
            peak=self.peak,
            mean_confidence=round(self.confidences / max(1, self.readings), 1),
            readings=self.readings,
            best_face=self.best_face,
            model=self.first.model,
        )


def _peak(reading: Reading, judgement: Judgement) -> events.Peak:
    return events.Peak(confidence=judgement.confidence, frame=reading.id.frame, captured_ms=reading.captured_ms)


def _face(reading: Reading) -> events.BestFace:
    face = reading.face
    return events.BestFace(frame=reading.id.frame, captured_ms=reading.captured_ms, box=face.box, quality=face.quality)
