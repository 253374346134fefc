"""The data folder of `emotii up`, which one process uses at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from contract.errors import EmotiiError, SettingsError, reason_of


class DataFolderLocked(EmotiiError):  # noqa: N818 - what is the case
    """Another process holds the lock of the data folder."""


@contextmanager
def locked(folder: Path) -> Iterator[TextIO]:
    """Create and lock the data folder: two servers would destroy one append-only file.

    Yields:
        The lock's file. The server inherits its descriptor, so the lock lasts as long as either process.

    Raises:
        DataFolderLocked: another process holds the lock.
        SettingsError: the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"EMOTII_DATA={folder}: {reason_of(error)}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Emotii or its Redis server already runs in {folder.resolve()}: stop it, or set EMOTII_DATA"
            raise DataFolderLocked(message) from None
        yield lock
