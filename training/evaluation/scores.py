"""Scores of a network on labelled faces."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """`confusion` (c, c) int64 counts faces: rows are the labels, columns the answers of the network."""

    emotions: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def faces(self) -> int:
        """How many faces were scored."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The share of faces for which the network gives the label, 0 to 1."""
        return float(np.trace(self.confusion) / self.faces)

    @property
    def recall(self) -> dict[str, float]:
        """The share of the faces of an emotion that get its label; NaN for an emotion without faces."""
        return self._shares(self.confusion.sum(axis=1))

    @property
    def precision(self) -> dict[str, float]:
        """The share of the answers of an emotion that are right; NaN for an emotion without answers."""
        return self._shares(self.confusion.sum(axis=0))

    @property
    def mean_recall(self) -> float:
        """The mean of the recalls: every emotion has equal weight, however rare it is."""
        return float(np.nanmean(list(self.recall.values())))

    @property
    def f1(self) -> dict[str, float]:
        """Harmonic mean of recall and precision of an emotion; NaN for one without faces, 0 for one without answers."""
        found, read = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        hits = np.diagonal(self.confusion)
        return {
            emotion: float(2 * hit / (there + answers)) if there else math.nan
            for emotion, hit, there, answers in zip(self.emotions, hits, found, read, strict=True)
        }

    @property
    def macro_f1(self) -> float:
        """The mean of the F1 scores of the emotions that have faces."""
        return float(np.nanmean(list(self.f1.values())))

    def figures(self) -> dict[str, float]:
        """The scores in `model.json`: faces, accuracy, mean_recall, and recall and precision of each emotion."""
        named = {"faces": float(self.faces), "accuracy": self.accuracy, "mean_recall": self.mean_recall}
        for kind, shares in (("recall", self.recall), ("precision", self.precision)):
            named |= {f"{kind}_{emotion}": share for emotion, share in shares.items()}
        # JSON has no NaN, and a share of no faces is not a score.
        return {name: round(figure, 6) for name, figure in named.items() if not math.isnan(figure)}

    def __str__(self) -> str:
        return f"{self.faces:,} faces, accuracy {self.accuracy:.1%}, mean class recall {self.mean_recall:.1%}"

    def _shares(self, totals: NDArray[np.int64]) -> dict[str, float]:
        hits = np.diagonal(self.confusion)
        return {
            emotion: float(hit / total) if total else math.nan
            for emotion, hit, total in zip(self.emotions, hits, totals, strict=True)
        }


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int64], emotions: tuple[str, ...]) -> Scores:
    """Compare probabilities (n, c) with labels (n,); the answer is the most probable emotion.

    Raises:
        ValueError: there are no faces, or the shapes do not fit each other.
    """
    if not len(labels) or probabilities.shape != (len(labels), len(emotions)):
        raise ValueError(f"probabilities {probabilities.shape} for {len(labels)} labels of {len(emotions)} emotions")
    confusion = np.zeros((len(emotions), len(emotions)), np.int64)
    np.add.at(confusion, (labels, probabilities.argmax(axis=1)), 1)
    return Scores(emotions, confusion)
