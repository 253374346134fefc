"""What a training leaves behind: all that the model folder is written from."""

from dataclasses import dataclass

import keras

from training.recipe import Recipe
from training.scores import Scores


@dataclass(frozen=True)
class Trained:
    """A network and what is known about it."""

    network: keras.Model
    recipe: Recipe
    history: list[dict[str, float]]
    scores: Scores
    scores_without_copies: Scores
    """Of those faces only whose pixels are not also among the training faces."""
    trained_on: str
    scored_on: str
    licence: str

    @property
    def kept(self) -> int:
        """The epoch whose weights these are, as a position in `history`: the lowest loss on the held-out faces."""
        return min(range(len(self.history)), key=lambda epoch: self.history[epoch]["val_loss"])

    def figures(self) -> dict[str, float]:
        """The scores as `model.json` states them."""
        without = self.scores_without_copies.figures()
        overall = {f"{name}_without_copies": without[name] for name in ("faces", "accuracy", "mean_recall")}
        return self.scores.figures() | overall
