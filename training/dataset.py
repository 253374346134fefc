"""Labelled faces, from the npz format with FER+ votes or from class folders."""

import hashlib
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
from training.duplicates import groups

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
    shares: NDArray[np.float32] | None = None
    """(n, classes): which share of the taggers' votes each emotion had, where votes are known."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Self:
        """The faces of these rows, in this order."""
        shares = None if self.shares is None else self.shares[rows]
        return replace(self, images=self.images[rows], labels=self.labels[rows], shares=shares)

    def targets(self, votes: bool = True) -> NDArray[np.float32]:
        """(n, classes): what a network should answer, the shares of the `votes` if they are known, or 1 for the label."""
        if votes and self.shares is not None:
            return self.shares
        return np.eye(len(self.emotions), dtype=np.float32)[self.labels]

    def counts(self) -> dict[str, int]:
        """How many faces each emotion has."""
        counts = np.bincount(self.labels, minlength=len(self.emotions))
        return dict(zip(self.emotions, map(int, counts), strict=True))


def read(path: Path, emotions: tuple[str, ...] = EMOTIONS_5, *, complete: bool = True) -> Faces:
    """Read an `.npz` file with votes, or a folder with one folder of pictures for each emotion.

    Raises:
        DatasetError: there is nothing at `path`, its format is another, or (if it is to be `complete`) an emotion has
            no face.
    """
    if path.is_dir():
        faces = _read_folders(path, emotions)
    elif path.is_file():
        faces = _read_npz(path, emotions)
    else:
        raise DatasetError(f"no dataset at {path}: give an .npz file with votes, or a folder of class folders")
    missing = [emotion for emotion, count in faces.counts().items() if not count]
    if missing and complete:
        raise DatasetError(f"{path} has no face for {', '.join(missing)}")
    return faces


def majority(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.int64]:
    """FER+ votes (n, 10) to labels (n,): the position in `emotions` of what most taggers said, or -1.

    Of several with equally many votes the first column wins, in the order of `FER_PLUS_VOTES`.
    """
    positions = [emotions.index(name) if name in emotions else -1 for name in FER_PLUS_VOTES]
    labels: NDArray[np.int64] = np.array(positions, np.int64)[votes.argmax(axis=1)]
    return labels


def vote_shares(votes: NDArray[np.uint8], emotions: tuple[str, ...]) -> NDArray[np.float32]:
    """FER+ votes (n, 10) to shares of `emotions` (n, classes), which sum to 1 where one of them has the majority.

    A single vote is taken for a slip, as its authors do (Barsoum et al., 2016), unless nothing else would be left.
    """
    counted = votes[:, [FER_PLUS_VOTES.index(emotion) for emotion in emotions]].astype(np.float32)
    agreed = np.where(counted > 1, counted, 0)
    agreed = np.where(agreed.any(axis=1, keepdims=True), agreed, counted)
    shares: NDArray[np.float32] = agreed / np.maximum(agreed.sum(axis=1, keepdims=True), 1)
    return shares


def hold_out(faces: Faces, share: float, seed: int) -> tuple[Faces, Faces]:
    """Split into the rest and a `share` of each emotion, at least one face; the same seed, the same split.

    Near-duplicates stay together, so that nothing that is held out has been seen. Whole groups are taken in the order
    of a seeded digest of their pixels: chance, but the same chance wherever a face stands among the others.
    """
    group = groups(faces.images)
    digests = [hashlib.sha256(b"%d:" % seed + image.tobytes()).digest() for image in faces.images]
    leaders = [min(rows, key=digests.__getitem__) for rows in _members(group)]
    held = np.zeros(len(faces), bool)
    for label in range(len(faces.emotions)):
        own = sorted((row for row in leaders if faces.labels[row] == label), key=digests.__getitem__)
        wanted = max(1, round(share * int((faces.labels == label).sum())))
        for row in own:
            if wanted <= 0:
                break
            members = group == group[row]
            held |= members
            wanted -= int(members.sum())
    return faces.take(np.flatnonzero(~held)), faces.take(np.flatnonzero(held))


def _members(group: NDArray[np.int64]) -> list[list[int]]:
    members: dict[int, list[int]] = {}
    for row, first in enumerate(group.tolist()):
        members.setdefault(first, []).append(row)
    return list(members.values())


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
    kept = labels >= 0
    return Faces(images[kept], labels[kept], emotions, shares=vote_shares(votes[kept], emotions))


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
