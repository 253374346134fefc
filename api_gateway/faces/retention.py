"""Removes saved faces: those that are too old, and the oldest ones while all of them take too many bytes."""

import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api_gateway.faces.atomic_file import PART
from api_gateway.faces.directories import FaceDirectories
from api_gateway.faces.filename import FaceName

ORPHAN_SECONDS = 10.0
"""A file takes milliseconds to write; one that is unfinished for this long belongs to a process that died."""
_TIME = "%Y%m%d_%H%M%S_%f"
"""As in the names of faces, so that names can be compared without parsing."""


class FaceRetention:
    """Keeps a folder of saved faces, labelled ones included, within limits. Every method blocks: call it on a thread.

    Several gateways may do so at once. Files whose name is not that of a saved face stay untouched.

    Args:
        folder: of the saved faces.
        kept: how long a face is kept; 0: for ever.
        limit: of all faces together, in bytes; 0: none.
    """

    def __init__(self, folder: Path, kept: timedelta, limit: int) -> None:
        self._folders = FaceDirectories(folder)
        self._kept = kept
        self._limit = limit

    def sweep(self) -> int:
        """Remove the unfinished files of processes that died; returns their number."""
        swept = 0
        for emotion in self._folders.emotions():
            for folder, entry in self._folders.files(emotion):
                if entry.name.endswith(PART):
                    with suppress(FileNotFoundError):  # finished, or another gateway swept it first
                        if time.time() - entry.stat(follow_symlinks=False).st_mtime > ORPHAN_SECONDS:
                            os.unlink(entry.name, dir_fd=folder)
                            swept += 1
        return swept

    def enforce(self) -> int:
        """Remove faces until both limits hold; returns the number of removed faces."""
        oldest = f"{datetime.now(UTC) - self._kept:{_TIME}}" if self._kept else ""
        kept: list[tuple[str, str, str, int]] = []
        removed = 0
        for emotion in self._folders.emotions():
            for folder, entry in self._folders.files(emotion):
                if order := FaceName.order(entry.name, emotion):
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        if order[0] < oldest:
                            os.unlink(entry.name, dir_fd=folder)
                            removed += 1
                        elif self._limit:
                            kept.append((*order, emotion, entry.stat(follow_symlinks=False).st_size))
        return removed + self._remove_oldest(kept)

    def _remove_oldest(self, faces: list[tuple[str, str, str, int]]) -> int:
        """Remove the oldest of these (time, name, emotion, bytes) until the rest is within the limit."""
        over = sum(size for *_, size in faces) - self._limit
        removed = 0
        for _, name, emotion, size in sorted(faces):
            if over <= 0:
                break
            with suppress(FileNotFoundError), self._folders.opened(emotion) as folder:
                os.unlink(name, dir_fd=folder)
                removed += 1
            over -= size
        return removed
