"""Faces with the votes of the FER+ taggers: the `.npz` format that the shipped models are trained on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.model.labels import FER_PLUS_VOTES
from contract.model.normalisation import CROP_SIZE
from training.datasets.faces import DatasetError, Faces


def read_npz(path: Path, emotions: tuple[str, ...]) -> Faces:
    """The faces whose majority is one of `emotions`.

    Raises:
        DatasetError: the file has another format.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, votes = arrays["images"], arrays["votes"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DatasetError(f"{path} is not an .npz file with the arrays `images` and `votes`: {error}") from error
    if images.dtype != np.uint8 or images.shape[1:] != (CROP_SIZE, CROP_SIZE):
        raise DatasetError(
            f"{path}: `images` is {images.shape} {images.dtype}, not (n, {CROP_SIZE}, {CROP_SIZE}) uint8"
        )
    if votes.shape != (len(images), len(FER_PLUS_VOTES)):
        raise DatasetError(f"{path}: `votes` is {votes.shape}, not ({len(images)}, {len(FER_PLUS_VOTES)})")
    labels = majority(votes, emotions)
    kept = labels >= 0
    return Faces(images[kept], labels[kept], emotions, shares=vote_shares(votes[kept], emotions))


def majority(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.int64]:
    """FER+ votes (n, 10) to labels (n,): the position in `emotions` of the label with most votes, or -1.

    A tie goes to the first column in the order of `FER_PLUS_VOTES`.
    """
    positions = [emotions.index(name) if name in emotions else -1 for name in FER_PLUS_VOTES]
    labels: NDArray[np.int64] = np.array(positions, np.int64)[votes.argmax(axis=1)]
    return labels


def vote_shares(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.float32]:
    """FER+ votes (n, 10) to shares of `emotions` (n, classes), which sum to 1 if one of them has the majority.

    Single votes are ignored as noise, as by the authors (Barsoum et al., 2016), unless no other vote exists.
    """
    counted = votes[:, [FER_PLUS_VOTES.index(emotion) for emotion in emotions]].astype(np.float32)
    agreed = np.where(counted > 1, counted, 0)
    agreed = np.where(agreed.any(axis=1, keepdims=True), agreed, counted)
    shares: NDArray[np.float32] = agreed / np.maximum(agreed.sum(axis=1, keepdims=True), 1)
    return shares
