"""The folder of one analysis: its private server's data and its spool."""

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
"""A folder may be this old before its lock is held."""


@contextmanager
def job_folder() -> Iterator[tuple[Path, int]]:
    """A folder for the time of one job, and the descriptor of its lock, for processes that use it to hold, too.

    A process that is killed cannot remove its folder, and there are faces in it: the next one does.
    """
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, Path(name, LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name), lock.fileno()


def _sweep(parent: Path) -> None:
    """Remove our folders whose processes are all gone."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            about = folder.lstat()
            if about.st_uid != os.getuid() or time.time() - about.st_mtime < YOUNG_SECONDS:
                continue
            with (folder / LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # somebody uses it, or has just removed it, or it is no folder
