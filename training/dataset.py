"""Labelled faces, from the npz format with FER+ votes or from class folders."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.errors import EmotiiError
from contract.labels import EMOTIONS_5, FER_PLUS_VOTES
from contract.normalisation import CROP_SIZE
from contract.preprocessing import gray, resize

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
MISSPELLED = {"suprise": "surprise"}
"""Folder names of the Kaggle dataset "Human Face Emotions" that are not the word they mean."""


class DatasetError(EmotiiError):
    """A dataset is missing, empty or not in a format that training reads."""


@dataclass(frozen=True)
class Faces:
    """Labelled faces: `images` (n, 48, 48) uint8; `labels` (n,) int64, positions in `emotions`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    emotions: tuple[str, ...]
    unreadable: tuple[Path, ...] = ()
    """Files that were skipped because no picture could be read from them."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Self:
        """The faces of these rows, in this order."""
        return replace(self, images=self.images[rows], labels=self.labels[rows])

    def counts(self) -> dict[str, int]:
        """How many faces each emotion has."""
        counts = np.bincount(self.labels, minlength=len(self.emotions))
        return dict(zip(self.emotions, map(int, counts), strict=True))


def read(path: Path, emotions: tuple[str, ...] = EMOTIONS_5) -> Faces:
    """Read an `.npz` file with votes, or a folder with one folder of pictures for each emotion.

    Raises:
        DatasetError: there is nothing at `path`, its format is another, or an emotion has no face.
    """
    if path.is_dir():
        faces = _read_folders(path, emotions)
    elif path.is_file():
        faces = _read_npz(path, emotions)
    else:
        raise DatasetError(f"no dataset at {path}: give an .npz file with votes, or a folder of class folders")
    if missing := [emotion for emotion, count in faces.counts().items() if not count]:
        raise DatasetError(f"{path} has no face for {', '.join(missing)}")
    return faces


def majority(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.int64]:
    """FER+ votes (n, 10) to labels (n,): the position in `emotions` of what most taggers said, or -1.

    Of several with equally many votes the first column wins, in the order of `FER_PLUS_VOTES`.
    """
    positions = [emotions.index(name) if name in emotions else -1 for name in FER_PLUS_VOTES]
    labels: NDArray[np.int64] = np.array(positions, np.int64)[votes.argmax(axis=1)]
    return labels


def hold_out(faces: Faces, share: float, seed: int) -> tuple[Faces, Faces]:
    """Split into the rest and a random `share` of each emotion, at least one face; the same seed, the same split."""
    rng = np.random.default_rng(seed)
    held = np.zeros(len(faces), bool)
    for label in range(len(faces.emotions)):
        rows = rng.permutation(np.flatnonzero(faces.labels == label))
        held[rows[: max(1, round(share * len(rows)))]] = True
    return faces.take(np.flatnonzero(~held)), faces.take(np.flatnonzero(held))


def copies(faces: Faces, others: Faces) -> NDArray[np.bool_]:
    """Which of `faces` (n,) have the very same pixels as one of `others`. FER2013 holds many pictures twice."""
    known = {image.tobytes() for image in others.images}
    return np.array([image.tobytes() in known for image in faces.images], bool)


def _read_npz(path: Path, emotions: tuple[str, ...]) -> Faces:
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
    return Faces(images[labels >= 0], labels[labels >= 0], emotions)


def _read_folders(path: Path, emotions: tuple[str, ...]) -> Faces:
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    unreadable: list[Path] = []
    for folder in sorted(path.iterdir()):
        name = MISSPELLED.get(folder.name.lower(), folder.name.lower())
        if not folder.is_dir() or name not in emotions:
            continue
        for file in sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES):
            if (face := _read_picture(file)) is None:
                unreadable.append(file)
            else:
                images.append(face)
                labels.append(emotions.index(name))
    if not images:
        raise DatasetError(f"{path} holds no pictures in folders called {', '.join(emotions)}")
    return Faces(np.stack(images), np.array(labels, np.int64), emotions, tuple(unreadable))


def _read_picture(file: Path) -> NDArray[np.uint8] | None:
    """One face as serving would see it: gray and 48 x 48 by `contract.preprocessing`. None if it cannot be read."""
    try:
        content = np.frombuffer(file.read_bytes(), np.uint8)
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except (OSError, cv2.error):
        return None
    return None if picture is None else resize(gray(picture.astype(np.uint8, copy=False)))
