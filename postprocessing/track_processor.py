"""The state of one track: its smoothed probabilities, its emotion and its running episode."""

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
    """A reading in its order: all readings of earlier frames of its source came before it."""

    reading: Reading
    entry_ms: int
    """When it was stored, in Redis's time."""
    probabilities: Probabilities
    """Smoothed; empty if the reading is stale."""
    judgement: Judgement | None
    """On the track; None if the reading is stale."""


@dataclass
class TrackProcessor:
    """Smooths the readings of one track and finds its episodes."""

    smoothing: Smoothing = field(default_factory=Smoothing)
    hysteresis: HysteresisFilter = field(default_factory=HysteresisFilter)
    episode: EpisodeBuilder | None = None
    seen_ms: int = 0
    """When the frame of its latest reading was captured."""

    def process(
        self, reading: Reading, entry_ms: int, parameters: SmoothingParameters
    ) -> tuple[SmoothedReading, list[events.Episode]]:
        """Process the next classified reading of the track; returns it smoothed, and the events of its episodes."""
        raw = dict(zip(reading.labels, reading.probabilities, strict=True))
        self.seen_ms = max(self.seen_ms, reading.captured_ms)
        self.smoothing.add(raw, reading.captured_ms, quality_weight(reading.face.quality), parameters.constant_ms)
        probabilities = self.smoothing.probabilities
        judgement = self.hysteresis.update(probabilities, reading.thresholds, reading.captured_ms, parameters)
        return SmoothedReading(reading, entry_ms, probabilities, judgement), self._episodes(reading, judgement)

    def end(self) -> list[events.Episode]:
        """The track ended: the end of its episode, with the time of its last reading."""
        episode, self.episode = self.episode, None
        return [episode.to_event("end")] if episode else []

    def _episodes(self, reading: Reading, judgement: Judgement) -> list[events.Episode]:
        ended = self.end() if self.episode and self.episode.emotion != judgement.emotion else []
        if not judgement.certain:
            return ended
        if self.episode:
            self.episode.add(reading, judgement)
            return [self.episode.to_event("update")] if self.episode.take_update() else []
        self.episode = EpisodeBuilder.begin(reading, judgement)
        self.episode.add(reading, judgement)
        return [*ended, self.episode.to_event("start")]
