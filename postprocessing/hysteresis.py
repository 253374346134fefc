"""The emotion of a track: it changes when the smoothed probabilities support another one clearly, and for a while."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.judgement import UNCERTAIN, Judgement, Thresholds, judge
from postprocessing.parameters import SmoothingParameters


@dataclass
class HysteresisFilter:
    """The emotion of one track.

    It has the two thresholds of a Schmitt trigger, and a hold time:

    - A track gets an emotion that meets the model's thresholds.
    - It loses the emotion only below thresholds that are lower by the lead, or to an emotion that is likelier by the
      lead.
    - It is *uncertain* while neither applies, instead of changing at each crossing of a threshold.
    """

    emotion: str = ""
    """An emotion or `UNCERTAIN`; empty before the first reading."""
    likeliest: str = ""
    likeliest_since_ms: int = 0
    weak_since_ms: int | None = None
    """Since when the probabilities do not meet even the lowered thresholds."""

    def update(
        self,
        probabilities: Mapping[str, float],
        thresholds: Thresholds | None,
        at_ms: int,
        parameters: SmoothingParameters,
    ) -> Judgement:
        """The judgement on the track after its next reading.

        Args:
            probabilities: smoothed, at least one.
            thresholds: the model's.
            at_ms: when the frame was captured.
            parameters: lead and hold time of a change.
        """
        judgement = judge(probabilities, thresholds)
        likeliest = judgement.between[0] if judgement.between else judgement.emotion
        if likeliest != self.likeliest:
            self.likeliest, self.likeliest_since_ms = likeliest, at_ms
        if self.emotion != UNCERTAIN and self.emotion not in probabilities:
            self._switch(judgement.emotion)  # the first reading of the track or of another model
        elif judgement.certain and self._is_won(likeliest, probabilities, at_ms, parameters):
            self._switch(likeliest)
        elif self.emotion != UNCERTAIN and self._is_lost(probabilities, thresholds, at_ms, parameters):
            self._switch(UNCERTAIN)
        return self._judgement(probabilities)

    def _switch(self, emotion: str) -> None:
        self.emotion, self.weak_since_ms = emotion, None

    def _is_won(
        self, likeliest: str, probabilities: Mapping[str, float], at_ms: int, parameters: SmoothingParameters
    ) -> bool:
        if likeliest == self.emotion or at_ms - self.likeliest_since_ms < parameters.hold_ms:
            return False
        return probabilities[likeliest] - probabilities.get(self.emotion, -1.0) >= parameters.lead

    def _is_lost(
        self,
        probabilities: Mapping[str, float],
        thresholds: Thresholds | None,
        at_ms: int,
        parameters: SmoothingParameters,
    ) -> bool:
        current = probabilities[self.emotion]
        best_other = max((share for emotion, share in probabilities.items() if emotion != self.emotion), default=0.0)
        if thresholds is None or lowered(thresholds, parameters.lead).met_by(current, best_other):
            self.weak_since_ms = None
            return False
        if self.weak_since_ms is None:
            self.weak_since_ms = at_ms
        return at_ms - self.weak_since_ms >= parameters.hold_ms

    def _judgement(self, probabilities: Mapping[str, float]) -> Judgement:
        ranked = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
        if self.emotion == UNCERTAIN:
            return Judgement(UNCERTAIN, _percent(probabilities[ranked[0]]), (ranked[0], *ranked[1:2]))
        return Judgement(self.emotion, _percent(probabilities[self.emotion]))


def lowered(thresholds: Thresholds, lead: float) -> Thresholds:
    """The thresholds to keep an emotion; the margin falls by twice the lead: one emotion gains what the other loses."""
    return thresholds.model_copy(
        update={
            "min_probability": max(0.0, thresholds.min_probability - lead),
            "min_margin": max(0.0, thresholds.min_margin - 2 * lead),
        }
    )


def _percent(probability: float) -> float:
    return round(probability * 100, 1)
