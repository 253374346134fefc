"""Writes and moves files atomically and without overwriting, in folders that are open as descriptors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

PART = ".part"
"""Suffix of an unfinished file's name."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(folder: int, name: str, content: bytes) -> None:
    """Write a file: completely or not at all, and never over another."""
    with _claimed(folder, name) as (part, file):
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def move(source: int, name: str, target: int, new_name: str) -> None:
    """Move a file: it never has two names or none, and never overwrites another."""
    with _claimed(target, new_name) as (part, _):
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
        os.unlink(part, dir_fd=target)
    os.fsync(source)


@contextmanager
def _claimed(folder: int, name: str) -> Iterator[tuple[str, BinaryIO]]:
    """Reserve a name with an unfinished file, which the caller renames or which is removed.

    Raises:
        FileExistsError: another file has the name, or another process has reserved it.
    """
    part = f".{name}{PART}"
    descriptor = os.open(part, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # From here on, no other process can reserve this name; one may have finished before.
            if _exists(folder, name):
                raise FileExistsError(name)
            yield part, file
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)
        raise
    os.fsync(folder)


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
