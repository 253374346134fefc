"""Fitting the temperature and the thresholds of a model."""

import numpy as np
from numpy.typing import NDArray

from contract.model.calibration import tempered
from contract.model.folder import ModelCard
from training.evaluation.calibration import fit_temperature
from training.evaluation.thresholds import choose_thresholds


def calibrated(
    card: ModelCard, probabilities: NDArray[np.float32], labels: NDArray[np.int64], precision: float = 0.95
) -> ModelCard:
    """The card with temperature and thresholds that were fitted to these faces.

    Args:
        card: of the model.
        probabilities: (n, c) as the network gives them, before any temperature, of faces that it was not fitted to and
            that its scores are not measured on.
        labels: (n,).
        precision: the share of answers that should be right; where no thresholds reach it, there are none.
    """
    temperature = fit_temperature(probabilities, labels)
    thresholds = choose_thresholds(tempered(probabilities, temperature), labels, precision)
    return card.model_copy(update={"temperature": temperature, "uncertain": thresholds})
