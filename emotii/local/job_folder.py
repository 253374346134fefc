"""The temporary folder of one analysis: the private server's data, and the file of what was sent."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "emotii-job-"
LOCK = "lock"
YOUNG_SECONDS = 60.0
"""A younger folder may not be locked yet."""


@contextmanager
def job_folder() -> Iterator[tuple[Path, int]]:
    """A temporary folder, and the descriptor of its lock, which processes that use the folder inherit.

    The folder contains faces. If its process is killed, the next analysis removes it.
    """
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, Path(name, LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name), lock.fileno()


def _sweep(parent: Path) -> None:
    """Remove our folders that no process uses any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            status = folder.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < YOUNG_SECONDS:
                continue
            with (folder / LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # a process uses it or has just removed it, or it is not a folder
