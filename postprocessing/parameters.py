"""The three parameters of smoothing and hysteresis."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmoothingParameters:
    """Every gateway of an installation needs the same parameters, or they publish different episodes.

    The defaults were chosen with `benchmarks/experiments/flicker.py`: the least flicker with which a change of
    expression is still followed within half a second.
    """

    constant_ms: float = 150.0
    """Time constant of the smoothing; 0: no smoothing."""
    lead: float = 0.2
    """How much lower, in probability, the thresholds to keep an emotion are than those to get it."""
    hold_ms: int = 150
    """How long the probabilities must support a change before it is made."""
