"""The folders of saved faces, one for each emotion, opened as descriptors so that no symbolic link is followed."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from api_gateway.faces.filename import FaceName, FaceNameError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class FaceDirectories:
    """The folder `root` and its subfolders. Every method blocks."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def emotions(self) -> list[str]:
        """The subfolders whose names can be emotions, sorted."""
        return sorted(filter(_is_emotion, os.listdir(self.root))) if self.root.is_dir() else []

    @contextmanager
    def opened(self, emotion: str, *, make: bool = False) -> Iterator[int]:
        """A descriptor of an emotion's folder, so that no part of its path can be replaced meanwhile.

        Raises:
            FaceNameError: the emotion cannot name a folder.
            OSError: there is no such folder, or a link in its place.
        """
        FaceName.check_emotion(emotion)
        if make:
            self.root.mkdir(parents=True, exist_ok=True)
        root = os.open(self.root, _FOLDER)
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(emotion, dir_fd=root)
                    os.fsync(root)
            folder = os.open(emotion, _FOLDER | os.O_NOFOLLOW, dir_fd=root)
        finally:
            os.close(root)
        try:
            yield folder
        finally:
            os.close(folder)

    def files(self, emotion: str) -> Iterator[tuple[int, os.DirEntry[str]]]:
        """The folder's descriptor with each of its files, without links; nothing if there is no such folder."""
        try:
            with self.opened(emotion) as folder, os.scandir(folder) as entries:
                yield from ((folder, entry) for entry in entries if entry.is_file(follow_symlinks=False))
        except (FaceNameError, FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            if error.errno != errno.ELOOP:  # a link, which is not followed
                raise


def check_plain(folder: int, name: str) -> None:
    """Raise `FileNotFoundError` unless this is a file in the folder: no link, device or pipe."""
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise FileNotFoundError(errno.ENOENT, "no plain file", name)


def _is_emotion(name: str) -> bool:
    try:
        FaceName.check_emotion(name)
    except FaceNameError:
        return False
    return True
