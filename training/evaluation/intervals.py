"""Confidence intervals: how much a figure would vary with other faces of the same kind."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
Interval = tuple[float, float]


def bootstrap(
    measure: Callable[[NDArray[np.int64]], dict[str, float]], faces: int, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """95% intervals by the percentile bootstrap (Efron, 1979): drawing as many faces again with replacement.

    Args:
        measure: rows (faces,) of a draw in, figures by name out; NaN where a draw has none.
        faces: how many there are.
        draws: how often to draw.
        seed: the same seed, the same intervals.
    """
    rng = np.random.default_rng(seed)
    drawn = [measure(rng.integers(0, faces, faces)) for _ in range(draws)]
    intervals: dict[str, Interval] = {}
    for name in drawn[0]:
        low, high = np.nanpercentile([figures[name] for figures in drawn], (2.5, 97.5))
        intervals[name] = float(low), float(high)
    return intervals
