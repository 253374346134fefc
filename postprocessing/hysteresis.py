"""The label that is told of a track: it changes when the smoothed probabilities ask for it clearly, and for a while."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.judgement import UNCERTAIN, Judgement, Thresholds, judge
from postprocessing.parameters import SmoothingParameters


@dataclass
class HysteresisFilter:
    """What is told of one track.

    The two thresholds of a Schmitt trigger, and a hold time: an emotion is won by what the model's thresholds ask for,
    and lost only below thresholds that are lower by the lead, or to another one that is likelier by the lead. So
    *uncertain* is told where neither holds, not at each crossing of a threshold.
    """

    emotion: str = ""
    """An emotion or `UNCERTAIN`; empty before the first reading."""
    likeliest: str = ""
    likeliest_since_ms: int = 0
    weak_since_ms: int | None = None
    """Since when the probabilities do not even support the emotion by the lowered thresholds."""

    def follow(
        self,
        probabilities: Mapping[str, float],
        thresholds: Thresholds | None,
        at_ms: int,
        parameters: SmoothingParameters,
    ) -> Judgement:
        """What is told from now on.

        Args:
            probabilities: smoothed, at least one.
            thresholds: the model's.
            at_ms: when the frame was taken.
            parameters: how clear and lasting a change has to be.
        """
        judgement = judge(probabilities, thresholds)
        likeliest = judgement.between[0] if judgement.between else judgement.emotion
        if likeliest != self.likeliest:
            self.likeliest, self.likeliest_since_ms = likeliest, at_ms
        if self.emotion != UNCERTAIN and self.emotion not in probabilities:
            self._tell(judgement.emotion)  # the first reading, or the first of another model
        elif judgement.certain and self._is_won(likeliest, probabilities, at_ms, parameters):
            self._tell(likeliest)
        elif self.emotion != UNCERTAIN and self._is_lost(probabilities, thresholds, at_ms, parameters):
            self._tell(UNCERTAIN)
        return self._judgement(probabilities)

    def _tell(self, emotion: str) -> None:
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
        mine = probabilities[self.emotion]
        best_other = max((share for emotion, share in probabilities.items() if emotion != self.emotion), default=0.0)
        if thresholds is None or lowered(thresholds, parameters.lead).met_by(mine, best_other):
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
    """What still supports an emotion; the margin falls by twice the lead, since the next one gains what it loses."""
    return thresholds.model_copy(
        update={
            "min_probability": max(0.0, thresholds.min_probability - lead),
            "min_margin": max(0.0, thresholds.min_margin - 2 * lead),
        }
    )


def _percent(probability: float) -> float:
    return round(probability * 100, 1)
