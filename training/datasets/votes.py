"""Faces with the votes of the FER+ taggers: the `.npz` format that the shipped models are trained on."""

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from contract.errors import reason_of
from contract.model.labels import FER_PLUS_VOTES
from contract.model.normalisation import CROP_SIZE
from contract.printable import printable
from training.datasets.faces import DatasetError, Faces
from training.datasets.left_out import LeftOut

MAX_FACES = 2_000_000
"""The most faces of one file: 4.6 GB. FER2013 has 35,887."""
DAMAGED = (EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged, encrypted or foreign archive raises."""


def read_npz(path: Path, emotions: tuple[str, ...]) -> Faces:
    """The faces whose majority is one of `emotions`. Nothing is unpickled.

    Raises:
        DatasetError: the file has another format.
    """
    images = _array(path, "images", (CROP_SIZE, CROP_SIZE), ("u1",)).astype(np.uint8, copy=False)
    votes = _array(path, "votes", (len(FER_PLUS_VOTES),), ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"))
    if len(votes) != len(images):
        raise DatasetError(f"{printable(path)}: `votes` is {votes.shape}, not {(len(images), len(FER_PLUS_VOTES))}")
    if (wrong := np.flatnonzero(((votes < 0) | (votes > 255)).any(axis=1))).size:
        row = int(wrong[0])
        raise DatasetError(f"{printable(path)}: row {row} of `votes` is {votes[row].tolist()}, not from 0 to 255")
    counted = votes.astype(np.uint8)
    labels = majority(counted, emotions)
    kept = labels >= 0
    shares = vote_shares(counted[kept], emotions)
    return Faces(images[kept], labels[kept], emotions, _others(counted[~kept]), shares)


def majority(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.int64]:
    """FER+ votes (n, 10) to labels (n,): the position in `emotions` of the label with most votes, or -1.

    A tie goes to the first column in the order of `FER_PLUS_VOTES`. A face without votes has no label.
    """
    positions = [emotions.index(name) if name in emotions else -1 for name in FER_PLUS_VOTES]
    labels: NDArray[np.int64] = np.array(positions, np.int64)[votes.argmax(axis=1)]
    return np.where(votes.any(axis=1), labels, -1)


def vote_shares(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.float32]:
    """FER+ votes (n, 10) to shares of `emotions` (n, classes), which sum to 1 if one of them has the majority.

    Single votes are ignored as noise, as by the authors (Barsoum et al., 2016), unless no other vote exists.
    """
    counted = np.zeros((len(votes), len(emotions)), np.float32)
    for column, emotion in enumerate(emotions):
        if emotion in FER_PLUS_VOTES:  # nobody votes for the emotions of other models
            counted[:, column] = votes[:, FER_PLUS_VOTES.index(emotion)]
    agreed = np.where(counted > 1, counted, 0)
    agreed = np.where(agreed.any(axis=1, keepdims=True), agreed, counted)
    shares: NDArray[np.float32] = agreed / np.maximum(agreed.sum(axis=1, keepdims=True), 1)
    return shares


def _array(path: Path, name: str, row: tuple[int, ...], kinds: tuple[str, ...]) -> NDArray[np.integer[Any]]:
    """One array of the file, (n, *row) of one of these types.

    Type and size are checked before it is read, so that a small file fills no memory.
    """
    what = f"{printable(path)} is not an .npz file with the arrays `images` and `votes`"
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open(f"{name}.npy") as file:
                shape, dtype = _header(file)
            if dtype.str[1:] not in kinds or len(shape) != 1 + len(row) or shape[1:] != row:
                wanted = f"({', '.join(['n', *map(str, row)])}) {'uint8' if len(kinds) == 1 else 'whole numbers'}"
                raise DatasetError(f"{printable(path)}: `{name}` is {shape} {dtype}, not {wanted}")
            if shape[0] > MAX_FACES:
                raise DatasetError(f"{printable(path)}: `{name}` has {shape[0]:,} rows; at most {MAX_FACES:,} are read")
            with archive.open(f"{name}.npy") as file:
                found: NDArray[np.integer[Any]] = np.lib.format.read_array(file, allow_pickle=False)
                return found
    except KeyError as error:
        raise DatasetError(f"{what}: `{name}` is missing") from error
    except DAMAGED as error:
        raise DatasetError(f"{what}: {reason_of(error)} (`emotii dataset ferplus` makes one)") from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _others(votes: NDArray[np.uint8]) -> tuple[LeftOut, ...]:
    """The faces with another majority, counted."""
    voted = votes[votes.any(axis=1)]
    counts = np.bincount(voted.argmax(axis=1), minlength=len(FER_PLUS_VOTES)).tolist()
    named = zip(FER_PLUS_VOTES, counts, strict=True)
    others = [LeftOut(name, "faces with most votes for", count) for name, count in named if count]
    if unvoted := len(votes) - len(voted):
        others.append(LeftOut("without votes", "faces", unvoted))
    return tuple(others)
