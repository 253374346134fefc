"""Making the `.npz` format from the public files: the pictures of FER2013 and the votes of the FER+ taggers."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.atomic_file import AtomicFile, check_outputs, writable
from contract.errors import reason_of
from contract.model.labels import FER_PLUS_VOTES
from contract.model.normalisation import CROP_SIZE
from training.datasets.faces import DatasetError

USAGES = ("Training", "PublicTest", "PrivateTest")
VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""The column names of fer2013new.csv, in the order of `FER_PLUS_VOTES`."""
UNKNOWN = 255


def make_npz(pictures: Path, votes: Path, usage: str, out: Path) -> int:
    """Write the faces of one `usage` with at least one vote for an emotion, and return their number.

    Args:
        pictures: fer2013.csv (`emotion`, `pixels`, `Usage`), of Kaggle's facial expression challenge of 2013.
        votes: fer2013new.csv of FER+, with its rows in the order of the other file.
        usage: Training, PublicTest or PrivateTest.
        out: the `.npz`: `images`, `votes`, `fer2013_label` and `row`.

    Raises:
        DatasetError: a file is missing or not in its format, or the two files do not match.
        SettingsError: `out` cannot be written, or is one of the two files.
    """
    out = out if out.suffix == ".npz" else out.with_name(f"{out.name}.npz")
    check_outputs([out], [pictures, votes])
    if usage not in USAGES:
        raise DatasetError(f"no usage called {usage!r} in FER2013; there are: {', '.join(USAGES)}")
    images, counts, labels, rows = [], [], [], []
    try:
        for row, (picture, tagged) in enumerate(zip(_rows(pictures), _rows(votes), strict=True)):
            if picture["Usage"] != tagged["Usage"]:
                raise DatasetError(f"row {row} is {picture['Usage']} in {pictures} but {tagged['Usage']} in {votes}")
            voted = [int(tagged[column]) for column in VOTE_COLUMNS]
            # A face without a vote for an emotion has no target.
            if picture["Usage"] == usage and any(voted[: FER_PLUS_VOTES.index("unknown")]):
                images.append(_face(picture["pixels"]))
                counts.append(voted)
                labels.append(int(picture.get("emotion") or UNKNOWN))
                rows.append(row)
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{pictures} and {votes} are not FER2013 and its FER+ votes: {error}") from error
    if not images:
        raise DatasetError(f"{pictures} has no face of {usage} with votes")
    with writable(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with AtomicFile(out) as partial, writable(out), partial.open("wb") as file:
        np.savez_compressed(
            file,
            images=np.stack(images),
            votes=np.array(counts, np.uint8),
            fer2013_label=np.array(labels, np.uint8),
            row=np.array(rows, np.int32),
        )
    return len(images)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from csv.DictReader(file)
    except OSError as error:
        raise DatasetError(f"{path}: {reason_of(error)}") from error


def _face(pixels: str) -> NDArray[np.uint8]:
    levels = np.array(pixels.split(), np.int64)
    if levels.size != CROP_SIZE**2 or levels.min() < 0 or levels.max() > 255:
        raise ValueError(f"a picture has {levels.size} pixels, not {CROP_SIZE**2} from 0 to 255")
    return levels.astype(np.uint8).reshape(CROP_SIZE, CROP_SIZE)
