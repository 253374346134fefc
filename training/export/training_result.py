"""What a training leaves behind: all that the model folder is written from."""

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from training.datasets.faces import Faces
from training.evaluation.scores import Scores
from training.recipe import Recipe


@dataclass(frozen=True)
class TrainingResult:
    """A network and what is known about it."""

    network: keras.Model
    recipe: Recipe
    history: list[dict[str, float]]
    scores: Scores
    """On the faces that only report: half B."""
    reporting: Faces
    """Half B."""
    choosing: tuple[NDArray[np.float32], NDArray[np.int64]]
    """Probabilities (n, classes) and labels (n,) of half A, to which temperature and thresholds are fitted."""
    start: str | None
    """The model whose weights the training began with."""
    trained_on: str
    scored_on: str
    licence: str

    @property
    def kept(self) -> int:
        """The epoch whose weights these are, as a position in `history`: the lowest loss on the watched faces."""
        return min(range(len(self.history)), key=lambda epoch: self.history[epoch]["val_loss"])
