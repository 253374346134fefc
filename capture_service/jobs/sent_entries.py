"""The entries that a job sent, on disk, so that each of them can be sent again until it has an outcome."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from contract.errors import EmotiiError, reason_of
from contract.messages import Crop, CropEntry, FrameDone, read_crop_entry

_SCHEMA = """
create table frames (frame integer primary key, faces integer not null, fields text not null);
create table crops (frame integer, face integer, fields text not null, pixels blob not null, primary key (frame, face))
without rowid;
"""
_FRAME_ENDS = -1
"""Stored in place of a face's number for the "frame done"."""
KEPT_FRAMES = 64
"""How many frames are written in one transaction."""


class SentEntryStore:
    """A file that exists as long as its job. Several threads may use it.

    The file is unlinked once it is open, so that its disk space is free when the process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            EmotiiError: the disk is full.
        """
        path.unlink(missing_ok=True)
        self._lock = Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        with _disk_full_named():
            # The file is useless without this process, so it need not survive a crash.
            self._file.executescript("pragma journal_mode = off; pragma synchronous = off;" + _SCHEMA)
        path.unlink()
        self._waiting: list[tuple[Sequence[Crop], FrameDone]] = []
        self._forgotten = 0

    def add(self, crops: Sequence[Crop], done: FrameDone) -> None:
        """Store a frame with all its faces.

        Raises:
            EmotiiError: the disk is full.
        """
        with self._lock, _disk_full_named():
            self._waiting.append((crops, done))
            if len(self._waiting) >= KEPT_FRAMES:
                self._write()

    def forget(self, below: int) -> None:
        """Frames under `below` are not needed again; their space is used for later frames, now and then."""
        if below - self._forgotten < KEPT_FRAMES:
            return
        with self._lock, self._file:
            self._file.execute("begin")
            self._file.execute("delete from crops where frame < ?", (below,))
            self._file.execute("delete from frames where frame < ?", (below,))
        self._forgotten = below

    def faces(self) -> dict[int, int]:
        """Frame -> number of its faces, of all stored frames."""
        with self._lock:
            self._write()
            return dict(self._file.execute("select frame, faces from frames order by frame"))

    def entries(self, frames: Collection[int], crops: Collection[tuple[int, int]]) -> Iterator[CropEntry]:
        """The "frame done" of `frames` and the `crops` (frame, face), by frame; those not stored are left out."""
        wanted = sorted({*crops, *((frame, _FRAME_ENDS) for frame in frames)}, key=_faces_first)
        for frame, face in wanted:
            if (entry := self._entry(frame, face)) is not None:
                yield entry

    def close(self) -> None:
        """Close the file, which frees its disk space."""
        with self._lock:
            self._file.close()

    def _entry(self, frame: int, face: int) -> CropEntry | None:
        with self._lock:
            self._write()
            if face == _FRAME_ENDS:
                found = self._file.execute("select fields, null from frames where frame = ?", (frame,))
            else:
                found = self._file.execute(
                    "select fields, pixels from crops where frame = ? and face = ?", (frame, face)
                )
            row = found.fetchone()
        if row is None:
            return None
        fields = {name.encode(): value.encode() for name, value in json.loads(row[0]).items()}
        return read_crop_entry(fields if row[1] is None else fields | {b"pixels": row[1]})

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        crops = [crop for crops, _ in waiting for crop in crops]
        with self._file:
            self._file.execute("begin")
            self._file.executemany(
                "insert into crops values (?, ?, ?, ?)",
                [(crop.id.frame, crop.face.index, _text(crop), crop.pixels) for crop in crops],
            )
            self._file.executemany(
                "insert into frames values (?, ?, ?)", [(done.id.frame, done.faces, _text(done)) for _, done in waiting]
            )


@contextmanager
def _disk_full_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise EmotiiError(
            f"no disk space for the sent entries of the job, in the folder of TMPDIR: {reason_of(error)}"
        ) from error


def _text(entry: Crop | FrameDone) -> str:
    """All fields but the pixels, as JSON."""
    return json.dumps({name.decode(): value.decode() for name, value in entry.fields().items() if name != b"pixels"})


def _faces_first(place: tuple[int, int]) -> tuple[int, bool, int]:
    frame, face = place
    return frame, face == _FRAME_ENDS, face
