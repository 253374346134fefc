"""Faces in class folders: pictures of any size, gray or colour, in a folder named after their emotion."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.errors import PictureError, reason_of
from contract.model.labels import EMOTIONS_8
from contract.model.preprocessing import gray, resize
from contract.printable import printable
from rendering import images
from training.datasets.faces import DatasetError, Faces
from training.datasets.left_out import LeftOut, summary

PICTURES = frozenset(
    ".bmp .dib .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()  # noqa: SIM905
)
"""The formats that are read: those that OpenCV decodes and turns upright. Of several pictures in a file the first."""
SYSTEM_FOLDERS = frozenset({"lost+found", "system volume information"})
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


@dataclass
class _Tree:
    """The folders with pictures below a dataset's folder, in the order of their names, and everything else there."""

    classes: list[tuple[str, Path, list[Path]]] = field(default_factory=list)
    """The emotion that a folder is named after, the folder, and its pictures."""
    left_out: list[LeftOut] = field(default_factory=list)


def class_names(path: Path) -> tuple[str, ...]:
    """The emotions that have pictures under `path`: first those that Emotii knows, then the others alphabetically."""
    names = {name for name, *_ in _search(path).classes}
    known = [name for name in EMOTIONS_8 if name in names]
    return (*known, *sorted(names.difference(known)))


def read_folders(path: Path, emotions: tuple[str, ...]) -> Faces:
    """The pictures in all folders under `path`, at any depth, that are named after one of `emotions`.

    Raises:
        DatasetError: there are none.
    """
    tree = _search(path)
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    left_out = tree.left_out
    for name, folder, pictures in tree.classes:
        if name not in emotions:
            left_out.append(LeftOut.file(folder, f"not named after one of {', '.join(emotions)}", len(pictures)))
            continue
        for file in pictures:
            face = _read_picture(file)
            if isinstance(face, str):
                left_out.append(LeftOut.file(file, face))
            else:
                images.append(face)
                labels.append(emotions.index(name))
    if not images:
        missing = f"{printable(path)} holds no pictures in folders called {', '.join(emotions) or 'as an emotion'}"
        raise DatasetError("; ".join([missing, *summary(left_out, named=3)]))
    return Faces(np.stack(images), np.array(labels, np.int64), emotions, tuple(left_out))


def _search(root: Path) -> _Tree:
    tree = _Tree()
    seen: set[tuple[int, int]] = set()
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            about = folder.stat()
            entries = sorted(folder.iterdir())
        except OSError as error:
            tree.left_out.append(LeftOut.file(folder, reason_of(error)))
            continue
        if (about.st_dev, about.st_ino) in seen:
            tree.left_out.append(LeftOut.file(folder, "a link to a folder that was read already"))
            continue
        seen.add((about.st_dev, about.st_ino))
        if not entries:
            tree.left_out.append(LeftOut.file(folder, "an empty folder"))
        pictures: list[Path] = []
        inside: list[Path] = []
        for entry in entries:
            kind = _kind(entry)
            if kind == "folder":
                inside.append(entry)
            elif kind == "picture" and folder != root:
                pictures.append(entry)
            else:
                tree.left_out.append(LeftOut.file(entry, "in no class folder" if kind == "picture" else kind))
        if pictures:
            tree.classes.append((_spelled(folder.name), folder, pictures))
        pending.extend(reversed(inside))
    return tree


def _kind(entry: Path) -> str:
    """What an entry of a folder is: "folder", "picture", or the reason why it is left out."""
    hidden = not entry.name[0].isalnum()  # .git, ._a.png, __MACOSX, @eaDir, #recycle, $RECYCLE.BIN
    try:
        if entry.is_dir():
            system = hidden or entry.name.lower() in SYSTEM_FOLDERS
            return "a folder of the system or of a program" if system else "folder"
        if not entry.is_file():
            return "a link to nothing" if entry.is_symlink() else "no regular file"
    except OSError as error:
        return reason_of(error)
    if entry.name.startswith((".", "~$")):
        return "a hidden file"
    suffix = entry.suffix.lower()
    return "picture" if suffix in PICTURES else f"of a format that is not read ({suffix or 'no suffix'})"


def _spelled(name: str) -> str:
    plain = "_".join(name.lower().split())
    return SPELLED.get(plain, plain)


def _read_picture(file: Path) -> NDArray[np.uint8] | str:
    """One face as serving sees it (`contract.model.preprocessing`): gray, 48 x 48. Or why it cannot be read."""
    try:
        return resize(gray(images.decode(file.read_bytes(), own=True)))
    except OSError as error:
        return reason_of(error)
    except PictureError:
        return "not a readable picture"
