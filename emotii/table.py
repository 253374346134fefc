"""The CSV of an analysis: one row a face and frame."""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from contract.errors import EmotiiError, SettingsError
from contract.judgement import judge
from contract.messages import Face, Reading
from emotii.outcomes import Buried

PLACE = ("time_s", "frame", "face", "track", "left", "top", "width", "height", "emotion", "confidence")


class Table:
    """Writes rows to a file beside `path` and moves it there when all went well: no half a table under the final name.

    Raises:
        SettingsError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise SettingsError(f"cannot write {path}: it is a folder; name a file")
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        try:
            self._file = self._partial.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"cannot write {path}: {error.strerror}") from error
        self._writer = csv.writer(self._file)
        self._first: Reading | None = None
        """Its labels are the columns."""
        self._before: list[tuple[object, ...]] = []
        """Rows that came before the columns were known."""
        self.rows = 0
        self.buried: list[Buried] = []
        self.tracks: set[int] = set()
        self.emotions: Counter[str] = Counter()

    def write(self, faces: Iterable[Reading | Buried]) -> None:
        """The faces of one frame; a buried one has no emotion and no probabilities, and is kept in `buried`.

        Raises:
            EmotiiError: a reading has other labels than those before, so that it fits no column.
        """
        for face in faces:
            if isinstance(face, Buried):
                self._write_buried(face)
            else:
                self._write_reading(face)
            self.rows += 1

    def _write_reading(self, reading: Reading) -> None:
        columns = self._columns(reading)
        probabilities = dict(zip(reading.labels, reading.probabilities, strict=True))
        judgement = judge(probabilities, reading.thresholds)
        self._writer.writerow(
            (
                *_place(reading.captured_ms, reading.id.frame, reading.face.index, reading.face),
                judgement.emotion,
                f"{judgement.confidence:.1f}",
                *(f"{probabilities[label]:.4f}" for label in columns),
            )
        )
        self.tracks.add(reading.face.track)
        self.emotions[judgement.emotion] += 1

    def _columns(self, reading: Reading) -> tuple[str, ...]:
        if self._first is None:
            self._first = reading
            self._writer.writerow((*PLACE, *reading.labels))
            self._writer.writerows((*row, *[""] * len(reading.labels)) for row in self._before)
        if set(reading.labels) != set(self._first.labels):
            first, other = (f"{one.model} ({', '.join(one.labels)})" for one in (self._first, reading))
            raise EmotiiError(f"workers with different models take part: {first} and {other}; use one for a table")
        return self._first.labels

    def _write_buried(self, buried: Buried) -> None:
        row = (*_place(buried.captured_ms, buried.frame, buried.index, buried.face), "", "")
        if self._first is None:
            self._before.append(row)
        else:
            self._writer.writerow((*row, *[""] * len(self._first.labels)))
        self.buried.append(buried)
        if buried.face is not None:
            self.tracks.add(buried.face.track)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None and self._first is None:  # no reading in the whole recording: still a table
            self._writer.writerow(PLACE)
            self._writer.writerows(self._before)
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)


def _place(captured_ms: int | None, frame: int, index: int, face: Face | None) -> tuple[object, ...]:
    """The first columns, up to the box; what is not known is empty."""
    seconds = "" if captured_ms is None else f"{captured_ms / 1000:.3f}"
    where = [""] * 5 if face is None else [face.track, *(f"{number:.1f}" for number in face.box)]
    return (seconds, frame, index, *where)
