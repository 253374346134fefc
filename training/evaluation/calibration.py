"""Calibration of probabilities: temperature, reliability and its error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COLDEST, HOTTEST = 0.05, 20.0
GOLDEN = (5**0.5 - 1) / 2
BINS = 15


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature with the highest likelihood of the labels (Guo et al., 2017), for `model.json`.

    Args:
        probabilities: (n, c) as the network gives them, before any temperature.
        labels: (n,) of faces that the network was not fitted to.

    Returns:
        At least 0.05, at most 20; above 1 for a network that is too sure of itself.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))
    own = logits[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        """Negative log-likelihood; it has one minimum because it is convex in 1 / T."""
        scaled = logits / np.exp(log_temperature)
        highest = scaled.max(axis=1)
        total = highest + np.log(np.exp(scaled - highest[:, np.newaxis]).sum(axis=1))
        return float((total - own / np.exp(log_temperature)).mean())

    low, high = np.log(COLDEST), np.log(HOTTEST)
    while high - low > 1e-4:  # golden-section search (Kiefer, 1953)
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return round(float(np.exp((low + high) / 2)), 4)


@dataclass(frozen=True)
class Reliability:
    """Faces by the confidence of their answer, in bins of equal width over 0 to 1; all arrays are (bins,)."""

    faces: NDArray[np.int64]
    confidence: NDArray[np.float64]
    """The mean of a bin; 0 if it is empty."""
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Expected calibration error (Naeini, 2015): the mean distance of confidence and accuracy over all faces."""
        return float((self.faces * np.abs(self.confidence - self.accuracy)).sum() / self.faces.sum())


def reliability(probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = BINS) -> Reliability:
    """How often answers of each confidence are right; `probabilities` (n, c), `labels` (n,)."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    faces = np.bincount(places, minlength=bins)
    divisor = np.maximum(faces, 1)
    return Reliability(
        faces,
        np.bincount(places, confidence, bins) / divisor,
        np.bincount(places, right.astype(np.float64), bins) / divisor,
    )
