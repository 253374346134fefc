"""Exponential smoothing in time: a reading is weighted by the time since the one before and by the crop's quality."""

import math
from dataclasses import dataclass, field

from contract.judgement import Probabilities
from contract.messages import Quality
from contract.messages.face import DARKEST, LEAST_SHARP, SMALLEST

LEAST_WEIGHT = 0.05
"""Even the worst crop counts where there is no better one."""


@dataclass
class Smoothing:
    """The smoothed probabilities of one track.

    The continuous-time form of simple exponential smoothing (Brown, 1956) as a weighted mean: over `dt` the past keeps
    the weight exp(-dt / time constant), and the new reading gets the rest times its own weight. The frame rate does not
    change the smoothing, and a poor crop among good ones changes little; where all crops are poor, they count as much
    as good ones.
    """

    probabilities: Probabilities = field(default_factory=dict)
    weight: float = 0.0
    """The mean weight of the crops behind the probabilities, 0 to 1."""
    at_ms: int = 0

    def add(self, probabilities: Probabilities, at_ms: int, weight: float, constant_ms: float) -> None:
        """Add a reading; one with other labels (of another model) starts the smoothing again.

        Args:
            probabilities: of the frame alone.
            at_ms: when the frame was captured.
            weight: above 0, up to 1: see `quality_weight`.
            constant_ms: the time constant; 0: no smoothing.
        """
        if self.probabilities.keys() != probabilities.keys():
            self.probabilities, self.weight = dict(probabilities), weight
        else:
            kept = math.exp(-max(0, at_ms - self.at_ms) / constant_ms) if constant_ms else 0.0
            new = (1 - kept) * weight
            self.weight = kept * self.weight + new
            share = new / self.weight
            self.probabilities = {
                emotion: (1 - share) * old + share * probabilities[emotion]
                for emotion, old in self.probabilities.items()
            }
        self.at_ms = at_ms


def quality_weight(quality: Quality) -> float:
    """The weight of a crop, 0.05 to 1: 1 from twice the brightness, sharpness and size below which it has a flaw.

    It falls in proportion to the turn of the head and to the part outside the frame: a profile gets the least weight.
    """
    brightness, sharpness, size = quality.brightness / DARKEST, quality.sharpness / LEAST_SHARP, quality.size / SMALLEST
    product = (1 - quality.turn) * quality.inside
    for ratio in (brightness, sharpness, size):
        product *= min(1.0, max(0.0, ratio / 2))
    return min(1.0, max(LEAST_WEIGHT, product))
