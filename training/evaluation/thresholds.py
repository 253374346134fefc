"""The thresholds above which a model answers: chosen on faces that were not fitted, measured on others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.judgement import Thresholds

MARGINS = np.round(np.arange(0, 0.96, 0.02), 4)
FEWEST = 20
"""With fewer answers a precision is not reliable enough."""


@dataclass(frozen=True)
class Answered:
    """Coverage and precision of the answers that are not uncertain."""

    coverage: float
    """The share of faces that get an answer."""
    precision: float
    """The share of those answers that are right; NaN if there are none."""


def choose_thresholds(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], precision: float = 0.95
) -> Thresholds | None:
    """The thresholds with the highest coverage at this precision; None if none reaches it.

    The precision must hold on other faces too, and the best of many pairs is biased upwards. Therefore the precision
    minus one standard error must reach the target.

    Args:
        probabilities: (n, c) after temperature.
        labels: (n,).
        precision: the share of the answers that should be right, 0 to 1.
    """
    first, second, right = _ranked(probabilities, labels)
    margin = first - second
    best: tuple[int, float, float] | None = None
    for least_margin in MARGINS:
        rows = np.flatnonzero(margin >= least_margin)
        rows = rows[np.argsort(-first[rows], kind="stable")]
        answers = np.arange(1, len(rows) + 1)
        share = np.cumsum(right[rows]) / answers
        reached = share - np.sqrt(share * (1 - share) / answers) >= precision
        # Thresholds cannot separate faces with the same probability, and are rounded as `model.json` states them.
        rounded = np.floor(first[rows] * 1e4) / 1e4
        reached &= np.append(rounded[1:] < rounded[:-1], True)
        reached[: FEWEST - 1] = False
        if reached.any():
            last = int(np.flatnonzero(reached)[-1])
            if best is None or last + 1 > best[0]:
                best = last + 1, float(rounded[last]), float(least_margin)
    if best is None:
        return None
    return Thresholds(min_probability=round(best[1], 4), min_margin=best[2], precision=precision)


def answered(probabilities: NDArray[np.float32], labels: NDArray[np.int64], thresholds: Thresholds | None) -> Answered:
    """Coverage and precision with these thresholds; without any, every face is answered."""
    first, second, right = _ranked(probabilities, labels)
    given = np.ones(len(labels), bool)
    if thresholds:
        given = thresholds.met_by(first, second)
    return Answered(float(given.mean()), float(right[given].mean()) if given.any() else float("nan"))


def _ranked(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Highest and second probability, and whether the highest is the right one's: (n,) each."""
    ranked = np.sort(probabilities.astype(np.float64), axis=1)
    return ranked[:, -1], ranked[:, -2], probabilities.argmax(axis=1) == labels
