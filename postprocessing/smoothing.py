"""Exponential smoothing in time: the weight of a reading is the time that it stands for, times the crop's quality."""

import math
from dataclasses import dataclass, field

from contract.judgement import Probabilities
from contract.messages import Quality
from contract.messages.face import DARKEST, LEAST_SHARP, SMALLEST

LEAST_WEIGHT = 0.05
"""Even the worst crop says something where there is no better one."""


@dataclass
class Smoothing:
    """The smoothed probabilities of one track.

    The continuous-time form of simple exponential smoothing (Brown, 1956) as a weighted mean: over `dt` the past keeps
    the weight exp(-dt / time constant), and the new reading has the rest times its own weight. So many frames a second
    smooth no less than few, and a poor crop among good ones moves little; where all are poor, they are followed as
    fast as good ones.
    """

    probabilities: Probabilities = field(default_factory=dict)
    weight: float = 0.0
    """How good the crops were that the probabilities are made of, 0 to 1."""
    at_ms: int = 0

    def add(self, probabilities: Probabilities, at_ms: int, weight: float, constant_ms: float) -> None:
        """Take in one reading; other emotions than before (another model) start anew.

        Args:
            probabilities: of the frame alone.
            at_ms: when the frame was taken.
            weight: above 0, up to 1: see `quality_weight`.
            constant_ms: the time constant; 0: nothing is smoothed.
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
    """How much a crop counts, 0.05 to 1: 1 with twice the light, sharpness and size that keep it from being flawed.

    The turn of the head and what lies outside the frame take away in proportion: a profile counts nothing.
    """
    light, sharp, size = quality.brightness / DARKEST, quality.sharpness / LEAST_SHARP, quality.size / SMALLEST
    product = (1 - quality.turn) * quality.inside
    for times in (light, sharp, size):
        product *= min(1.0, max(0.0, times / 2))
    return min(1.0, max(LEAST_WEIGHT, product))
