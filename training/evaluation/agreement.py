"""Whether two engines that run one model say the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FP32_DIFFERENCE = 1e-4
BF16_SAME_TOP = 0.995
BF16_ACCURACY = 0.003


@dataclass(frozen=True)
class Agreement:
    """How an engine differs from the reference on the same faces."""

    largest_difference: float
    """Of one probability."""
    same_top: float
    """The share of faces whose likeliest label is the same."""
    accuracy_difference: float
    """The engine's accuracy less the reference's."""

    def holds(self, *, exact: bool) -> bool:
        """Whether it is as small as promised: exact for 32-bit floats, looser for bfloat16."""
        if exact:
            return self.largest_difference <= FP32_DIFFERENCE
        return self.same_top >= BF16_SAME_TOP and abs(self.accuracy_difference) <= BF16_ACCURACY


def compare(reference: NDArray[np.float32], found: NDArray[np.float32], labels: NDArray[np.int64]) -> Agreement:
    """Two engines' probabilities (n, c) of the same faces with these labels (n,). A NaN is the greatest difference."""
    difference = np.nan_to_num(np.abs(reference - found), nan=np.inf)
    expected, top = reference.argmax(axis=1), found.argmax(axis=1)
    accuracies = (top == labels).mean() - (expected == labels).mean()
    return Agreement(float(difference.max()), float((top == expected).mean()), float(accuracies))
