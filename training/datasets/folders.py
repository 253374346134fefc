"""Faces in class folders: pictures of any size, gray or colour, in a folder named after their emotion."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.model.labels import EMOTIONS_8
from contract.model.preprocessing import gray, resize
from training.datasets.faces import DatasetError, Faces

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
SPELLED = {
    "suprise": "surprise",  # as spelled in the Kaggle dataset "Human Face Emotions"
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "disgusted": "disgust",
    "fearful": "fear",
    "surprised": "surprise",
}
"""Folder names of public datasets, and the labels they stand for."""


def class_names(path: Path) -> tuple[str, ...]:
    """The emotions that have pictures under `path`: first those that Emotii knows, then the others alphabetically."""
    names = {name for name, _ in _class_folders(path)}
    known = [name for name in EMOTIONS_8 if name in names]
    return (*known, *sorted(names.difference(known)))


def read_folders(path: Path, emotions: tuple[str, ...]) -> Faces:
    """The pictures in all folders under `path`, at any depth, that are named after one of `emotions`.

    Raises:
        DatasetError: there are none.
    """
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    unreadable: list[Path] = []
    for name, folder in _class_folders(path):
        if name not in emotions:
            continue
        for file in _pictures(folder):
            if (face := _read_picture(file)) is None:
                unreadable.append(file)
            else:
                images.append(face)
                labels.append(emotions.index(name))
    if not images:
        raise DatasetError(f"{path} holds no pictures in folders called {', '.join(emotions) or 'as an emotion'}")
    return Faces(np.stack(images), np.array(labels, np.int64), emotions, tuple(unreadable))


def _class_folders(path: Path) -> list[tuple[str, Path]]:
    """Every folder below `path` that contains pictures, with the emotion that it is named after."""
    folders = [folder for folder in sorted(path.rglob("*")) if folder.is_dir() and _pictures(folder)]
    return [(_spelled(folder.name), folder) for folder in folders]


def _spelled(name: str) -> str:
    plain = "_".join(name.lower().split())
    return SPELLED.get(plain, plain)


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES and file.is_file())


def _read_picture(file: Path) -> NDArray[np.uint8] | None:
    """One face as serving sees it (`contract.model.preprocessing`): gray, 48 x 48. None if it cannot be read."""
    try:
        content = np.frombuffer(file.read_bytes(), np.uint8)
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except (OSError, cv2.error):
        return None
    return None if picture is None else resize(gray(picture.astype(np.uint8, copy=False)))
