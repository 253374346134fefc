"""The result of a training, from which the model folder is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.datasets.faces import Faces
from training.evaluation.scores import Scores
from training.recipe import Recipe

if TYPE_CHECKING:
    import keras  # evaluate reads a card without waiting for TensorFlow


@dataclass(frozen=True)
class TrainingResult:
    """A network, its history and its scores."""

    network: "keras.Model"
    recipe: Recipe
    history: list[dict[str, float]]
    scores: Scores
    """On half B."""
    reporting: Faces
    """Half B."""
    choosing: tuple[NDArray[np.float32], NDArray[np.int64]]
    """Probabilities (n, classes) and labels (n,) of half A, to which temperature and thresholds are fitted."""
    start: str | None
    """The model whose weights the training started with."""
    trained_on: str
    scored_on: str
    licence: str

    @property
    def kept(self) -> int:
        """The epoch of these weights, as a position in `history`: the one with the lowest validation loss."""
        return min(range(len(self.history)), key=lambda epoch: self.history[epoch]["val_loss"])
