"""Files that are whole or not there, and never take another's name, in folders that are held by their descriptors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

PART = ".part"
"""How the name of an unfinished file ends."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(folder: int, name: str, content: bytes) -> None:
    """Whole or not at all, and never over another."""
    with _claimed(folder, name) as (part, file):
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def move(source: int, name: str, target: int, new_name: str) -> None:
    """At no moment under two names or none, and never over another."""
    with _claimed(target, new_name) as (part, _):
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
        os.unlink(part, dir_fd=target)
    os.fsync(source)


@contextmanager
def _claimed(folder: int, name: str) -> Iterator[tuple[str, BinaryIO]]:
    """The right to a name: the unfinished file is the claim, which whoever has it makes use of or removes.

    Raises:
        FileExistsError: another face has the name, or is about to.
    """
    part = f".{name}{PART}"
    descriptor = os.open(part, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # From here on no other process can have this name in the making, only finished before.
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
