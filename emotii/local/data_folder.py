"""The data folder of `emotii up`, which one process uses at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from contract.errors import EmotiiError, SettingsError, reason_of

LOCK = "lock"


class DataFolderLocked(EmotiiError):  # noqa: N818 - what is the case
    """Another process holds the lock of the data folder."""


@contextmanager
def locked(folder: Path) -> Iterator[TextIO]:
    """Create and lock the data folder: two servers would destroy one append-only file.

    A folder that was created here is removed again if an error comes before anything is stored in it.

    Yields:
        The lock's file. The server inherits its descriptor, so the lock lasts as long as either process.

    Raises:
        DataFolderLocked: another process holds the lock.
        SettingsError: the folder cannot be created.
    """
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise SettingsError(f"EMOTII_DATA={folder}: {reason_of(error)}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Emotii or its Redis server already runs in {folder.resolve()}: stop it, or set EMOTII_DATA"
            raise DataFolderLocked(message) from None
        try:
            yield lock
        except BaseException:
            if not existed:
                _remove_if_unused(folder)
            raise


def _remove_if_unused(folder: Path) -> None:
    """Remove the folder if it holds nothing but the lock, which this process still holds."""
    with suppress(OSError):  # something is stored, or another process has just created its lock
        if [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()
