"""Batches of faces, shuffled and augmented anew in every epoch, prepared in parallel to the training step."""

import keras
import numpy as np
from numpy.typing import NDArray

from training.datasets.faces import Faces
from training.recipe import Recipe

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """`faces` as (input, targets, weights); faces and augmentation depend on seed, epoch and place."""

    def __init__(self, faces: Faces, recipe: Recipe, epoch: int = 0) -> None:
        super().__init__(workers=1, max_queue_size=16)
        self.faces, self.recipe, self.epoch = faces, recipe, epoch
        self.targets = faces.targets(recipe.votes)
        self.weights = weights(self.targets, recipe.rare)
        self._shuffle()

    def __len__(self) -> int:
        # A last batch of one face would have no variance for batch normalisation.
        return max(1, len(self.faces) // self.recipe.batch_size)

    def __getitem__(self, place: int) -> Batch:
        rows = self.order[place * self.recipe.batch_size :][: self.recipe.batch_size]
        images = self.faces.images[rows]
        if self.recipe.augmentation is not None:
            images = self.recipe.augmentation.apply(
                images, np.random.default_rng((self.recipe.seed, self.epoch, place))
            )
        return self.recipe.normalisation.apply(images), self.targets[rows], self.weights[rows]

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        self.order = np.random.default_rng((self.recipe.seed, self.epoch)).permutation(len(self.faces))


def weights(targets: NDArray[np.float32], rare: float) -> NDArray[np.float32]:
    """The weight of each face (n,), 1 on average: the frequency of its emotion to the power of -`rare`.

    At 0 all faces have equal weight, at 1 all emotions do.
    """
    often = np.maximum(targets.mean(axis=0), 1 / len(targets))
    counts: NDArray[np.float32] = targets @ (often**-rare)
    return counts / np.float32(counts.mean())
