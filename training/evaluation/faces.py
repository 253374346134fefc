"""The faces that a model is evaluated on, and its probabilities over the emotions that they show."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.datasets import dataset
from training.datasets.dataset import DatasetError, Faces
from training.datasets.halves import halves

Half = Literal["a", "b"]


def read_known(
    path: Path, labels: tuple[str, ...], only: Sequence[str] | None = None, half: Half | None = None
) -> Faces:
    """The faces at `path` whose emotion is one of `labels`; `emotions` are those of them that the data has.

    Args:
        path: an `.npz` file with votes, or a folder of class folders.
        labels: the model's.
        only: count faces of these emotions only.
        half: of a validation set: `a` chose temperature and thresholds, `b` only reports.

    Raises:
        DatasetError: nothing can be read there, fewer than two of the emotions have faces, or `only` names another.
    """
    if unknown := [emotion for emotion in only or () if emotion not in labels]:
        raise DatasetError(f"the model knows no {', '.join(unknown)}; it knows {', '.join(labels)}")
    faces = dataset.read(path, labels, complete=False)
    if half:
        choosing, reporting = halves(faces)
        faces = choosing if half == "a" else reporting
    wanted = [label for label in labels if faces.counts()[label] and (only is None or label in only)]
    if len(wanted) < 2:
        raise DatasetError(f"{path} has faces for {', '.join(wanted) or 'none'} of {', '.join(labels)}: two are needed")
    places = np.full(len(labels), -1, np.int64)
    places[[labels.index(emotion) for emotion in wanted]] = np.arange(len(wanted))
    kept = faces.take(np.flatnonzero(places[faces.labels] >= 0))
    return replace(kept, labels=places[kept.labels], emotions=tuple(wanted), shares=None)


def over(probabilities: NDArray[np.float32], labels: tuple[str, ...], emotions: tuple[str, ...]) -> NDArray[np.float32]:
    """Probabilities (n, labels) over some of the labels (n, emotions), scaled to sum 1 again.

    A row that gives them nothing at all becomes even: it says nothing about them.
    """
    chosen = probabilities[:, [labels.index(emotion) for emotion in emotions]]
    total = chosen.sum(axis=1, keepdims=True)
    scaled: NDArray[np.float32] = np.where(total > 0, chosen / np.maximum(total, 1e-30), 1 / len(emotions))
    return scaled.astype(np.float32)
