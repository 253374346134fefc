"""The course of one track: its smoothed probabilities, the label that is told, and the episode that runs."""

from dataclasses import dataclass, field

from contract import events
from contract.judgement import Judgement, Probabilities
from contract.messages import Reading
from postprocessing.episode_builder import EpisodeBuilder
from postprocessing.hysteresis import HysteresisFilter
from postprocessing.parameters import SmoothingParameters
from postprocessing.smoothing import Smoothing, quality_weight


@dataclass(frozen=True, slots=True)
class SmoothedReading:
    """A reading in its place: all readings of earlier frames of its source came before it."""

    reading: Reading
    entry_ms: int
    """When it was stored, in Redis's time."""
    probabilities: Probabilities
    """Smoothed; empty if the reading is stale."""
    judgement: Judgement | None
    """What is told of the track; None if the reading is stale."""


@dataclass
class TrackProcessor:
    """One track over time."""

    smoothing: Smoothing = field(default_factory=Smoothing)
    label: HysteresisFilter = field(default_factory=HysteresisFilter)
    span: EpisodeBuilder | None = None
    seen_ms: int = 0
    """When the frame of its latest reading was taken."""

    def process(
        self, reading: Reading, entry_ms: int, parameters: SmoothingParameters
    ) -> tuple[SmoothedReading, list[events.Episode]]:
        """The next classified reading of the track; what is told for it, and which episodes that ends and begins."""
        alone = dict(zip(reading.labels, reading.probabilities, strict=True))
        self.seen_ms = max(self.seen_ms, reading.captured_ms)
        self.smoothing.add(alone, reading.captured_ms, quality_weight(reading.face.quality), parameters.constant_ms)
        probabilities = self.smoothing.probabilities
        judgement = self.label.follow(probabilities, reading.thresholds, reading.captured_ms, parameters)
        return SmoothedReading(reading, entry_ms, probabilities, judgement), self._episodes(reading, judgement)

    def end(self) -> list[events.Episode]:
        """The track is gone: the end of its episode, with the time of its last reading."""
        span, self.span = self.span, None
        return [span.tell("end")] if span else []

    def _episodes(self, reading: Reading, judgement: Judgement) -> list[events.Episode]:
        told = self.end() if self.span and self.span.emotion != judgement.emotion else []
        if not judgement.certain:
            return told
        if self.span:
            self.span.add(reading, judgement)
            return [self.span.tell("update")] if self.span.is_due() else []
        self.span = EpisodeBuilder.begin(reading, judgement)
        self.span.add(reading, judgement)
        return [*told, self.span.tell("start")]
