"""Reading labelled faces from every supported format."""

from pathlib import Path

from contract.errors import reason_of
from contract.model.labels import EMOTIONS_5
from contract.printable import printable
from training.datasets.faces import DatasetError, Faces
from training.datasets.folders import read_folders
from training.datasets.left_out import summary
from training.datasets.split import hold_out
from training.datasets.votes import majority, read_npz

__all__ = ["DatasetError", "Faces", "hold_out", "majority", "read"]


def read(path: Path, emotions: tuple[str, ...] = EMOTIONS_5, *, complete: bool = True) -> Faces:
    """Read an `.npz` file with votes, or a folder with one folder of pictures for each emotion.

    Raises:
        DatasetError: `path` does not exist, has another format, or (if `complete`) an emotion has no face.
    """
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:
        raise DatasetError(f"{printable(path)}: {reason_of(error)}") from error
    if is_folder:
        faces = read_folders(path, emotions)
    elif is_file:
        faces = read_npz(path, emotions)
    else:
        raise DatasetError(
            f"no dataset at {printable(path)}: give an .npz file with votes, or a folder of class folders"
        )
    missing = [emotion for emotion, count in faces.counts().items() if not count]
    if missing and complete:
        nothing = f"{printable(path)} has no face for {', '.join(missing)}"
        raise DatasetError("; ".join([nothing, *summary(faces.left_out, named=3)]))
    return faces
