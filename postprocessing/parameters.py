"""How steady results are to be: the three numbers that smoothing and label follow."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmoothingParameters:
    """Every gateway of an installation has to have the same, or they tell different episodes.

    The defaults are chosen with `benchmarks/experiments/flicker.py`: the least flicker with which a change of
    expression is still followed within half a second.
    """

    constant_ms: float = 150.0
    """Time constant of the smoothing; 0: none."""
    lead: float = 0.2
    """By how much probability an emotion is harder to lose than to win."""
    hold_ms: int = 150
    """How long the probabilities have to speak against what is told before something else is."""
