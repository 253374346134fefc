"""Reading labelled faces from every supported format."""

from pathlib import Path

from contract.model.labels import EMOTIONS_5
from training.datasets.faces import DatasetError, Faces
from training.datasets.folders import read_folders
from training.datasets.split import hold_out
from training.datasets.votes import majority, read_npz

__all__ = ["DatasetError", "Faces", "hold_out", "majority", "read"]


def read(path: Path, emotions: tuple[str, ...] = EMOTIONS_5, *, complete: bool = True) -> Faces:
    """Read an `.npz` file with votes, or a folder with one folder of pictures for each emotion.

    Raises:
        DatasetError: `path` does not exist, has another format, or (if `complete`) an emotion has no face.
    """
    if path.is_dir():
        faces = read_folders(path, emotions)
    elif path.is_file():
        faces = read_npz(path, emotions)
    else:
        raise DatasetError(f"no dataset at {path}: give an .npz file with votes, or a folder of class folders")
    missing = [emotion for emotion, count in faces.counts().items() if not count]
    if missing and complete:
        raise DatasetError(f"{path} has no face for {', '.join(missing)}")
    return faces
