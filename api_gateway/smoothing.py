"""Exponential smoothing in time: the weight of a reading depends on the time since the last, not on their number."""

import math
from datetime import timedelta

Probabilities = dict[str, float]
"""By emotion; they sum to 1."""


class Smoothing:
    """The smoothed probabilities of one track.

    The continuous-time form of simple exponential smoothing (Brown, 1956): over `dt` seconds the past keeps the weight
    exp(-dt / time constant).
    """

    def __init__(self, constant: timedelta) -> None:
        self._constant_ms = constant.total_seconds() * 1000
        self._at_ms = 0
        self.probabilities: Probabilities = {}

    def add(self, probabilities: Probabilities, at_ms: int) -> None:
        """Take in one reading of a frame at `at_ms`; other emotions than before (another model) start anew."""
        if self.probabilities.keys() != probabilities.keys():
            self.probabilities = dict(probabilities)
        else:
            elapsed = max(0, at_ms - self._at_ms)
            kept = math.exp(-elapsed / self._constant_ms) if self._constant_ms else 0.0
            self.probabilities = {
                emotion: kept * old + (1 - kept) * probabilities[emotion] for emotion, old in self.probabilities.items()
            }
        self._at_ms = at_ms
