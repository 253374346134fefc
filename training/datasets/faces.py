"""Labelled faces, the common form of every dataset."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contract.errors import EmotiiError
from training.datasets.left_out import LeftOut


class DatasetError(EmotiiError):
    """A dataset is missing, empty or not in a format that training reads."""


@dataclass(frozen=True)
class Faces:
    """Labelled faces: `images` (n, 48, 48) uint8; `labels` (n,) int64, positions in `emotions`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    emotions: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    """What the dataset holds besides, with the reasons."""
    shares: NDArray[np.float32] | None = None
    """(n, classes): the share of the taggers' votes for each emotion, if votes are known."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Self:
        """The faces of these rows, in this order."""
        shares = None if self.shares is None else self.shares[rows]
        return replace(self, images=self.images[rows], labels=self.labels[rows], shares=shares)

    def targets(self, votes: bool = True) -> NDArray[np.float32]:
        """(n, classes): the targets of the network: the shares of the `votes` if known, or 1 for the label."""
        if votes and self.shares is not None:
            return self.shares
        return np.eye(len(self.emotions), dtype=np.float32)[self.labels]

    def counts(self) -> dict[str, int]:
        """How many faces each emotion has."""
        counts = np.bincount(self.labels, minlength=len(self.emotions))
        return dict(zip(self.emotions, map(int, counts), strict=True))
