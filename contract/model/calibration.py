"""Temperature scaling of probabilities: one definition for the engines and for the fit of the temperature."""

import numpy as np
from numpy.typing import NDArray


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities (n, labels) scaled by a temperature above 0, with row sum 1, in float32.

    Dividing the logits by T before the softmax (Guo et al., 2017, "On Calibration of Modern Neural Networks") is the
    same as taking the probabilities to the power of 1 / T and scaling them to sum 1. They are scaled for every T: in
    bfloat16 the sum is 1 only roughly.
    """
    powers = probabilities.astype(np.float32) ** np.float32(1 / temperature)
    scaled: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return scaled
