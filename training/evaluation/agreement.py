"""Whether two engines that run the same model agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FP32_DIFFERENCE = 1e-4
SAME_TOP = {"bf16": 0.995, "int8": 0.99}
ACCURACY = 0.003


@dataclass(frozen=True)
class Agreement:
    """How an engine differs from the reference on the same faces."""

    largest_difference: float
    """The largest difference of one probability."""
    same_top: float
    """The share of faces whose likeliest label is the same."""
    accuracy_difference: float
    """The accuracy of the engine minus that of the reference."""

    def holds(self, precision: str) -> bool:
        """Whether it is within the limits of `precision`: equal for "f32", looser for "bf16" and "int8"."""
        if precision == "f32":
            return self.largest_difference <= FP32_DIFFERENCE
        return self.same_top >= SAME_TOP[precision] and abs(self.accuracy_difference) <= ACCURACY


def compare(reference: NDArray[np.float32], found: NDArray[np.float32], labels: NDArray[np.int64]) -> Agreement:
    """Two engines' probabilities (n, c) of the same faces with these labels (n,). A NaN is the largest difference."""
    difference = np.nan_to_num(np.abs(reference - found), nan=np.inf)
    expected, top = reference.argmax(axis=1), found.argmax(axis=1)
    accuracies = (top == labels).mean() - (expected == labels).mean()
    return Agreement(float(difference.max()), float((top == expected).mean()), float(accuracies))
