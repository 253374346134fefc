"""The CSV of an analysis: one row a face and frame."""

import csv
from collections.abc import Iterable

from contract.atomic_file import TextFile
from contract.errors import EmotiiError
from contract.judgement import judge
from contract.messages import Face, Reading
from jobs_service.outputs.outcomes import Buried

FILE = "file"
"""The first column where the recording is a folder of pictures."""
PLACE = ("time_s", "frame", "face", "track", "left", "top", "width", "height", "emotion", "confidence")


class ReadingsCsv:
    """Writes the rows; the columns are known with the first reading, whose labels are among them.

    Args:
        file: where to.
        named: whether each row begins with the name of the picture's file.
    """

    def __init__(self, file: TextFile, *, named: bool = False) -> None:
        self._writer = csv.writer(file)
        self._place = (FILE, *PLACE) if named else PLACE
        self._first: Reading | None = None
        """Its labels are the columns."""
        self._before: list[tuple[object, ...]] = []
        """Rows that came before the columns were known."""

    def write(self, faces: Iterable[Reading | Buried], picture: str | None = None) -> None:
        """The faces of one frame, which is this picture of a folder; a buried one has no emotion and no probabilities.

        Raises:
            EmotiiError: a reading has other labels than those before, so that it fits no column, or the disk is full.
        """
        first = () if picture is None else (picture,)
        for face in faces:
            if isinstance(face, Buried):
                self._write_buried(first, face)
            else:
                self._write_reading(first, face)

    def finish(self) -> None:
        """There are no more faces; a recording without any reading still makes a table."""
        if self._first is None:
            self._writer.writerow(self._place)
            self._writer.writerows(self._before)

    def _write_reading(self, first: tuple[str, ...], reading: Reading) -> None:
        columns = self._columns(reading)
        probabilities = dict(zip(reading.labels, reading.probabilities, strict=True))
        judgement = judge(probabilities, reading.thresholds)
        self._writer.writerow(
            (
                *first,
                *_place(reading.captured_ms, reading.id.frame, reading.face.index, reading.face),
                judgement.emotion,
                f"{judgement.confidence:.1f}",
                *(f"{probabilities[label]:.4f}" for label in columns),
            )
        )

    def _columns(self, reading: Reading) -> tuple[str, ...]:
        if self._first is None:
            self._first = reading
            self._writer.writerow((*self._place, *reading.labels))
            self._writer.writerows((*row, *[""] * len(reading.labels)) for row in self._before)
        if set(reading.labels) != set(self._first.labels):
            first, other = (f"{one.model} ({', '.join(one.labels)})" for one in (self._first, reading))
            raise EmotiiError(f"workers with different models take part: {first} and {other}; use one for a table")
        return self._first.labels

    def _write_buried(self, first: tuple[str, ...], buried: Buried) -> None:
        row = (*first, *_place(buried.captured_ms, buried.frame, buried.index, buried.face), "", "")
        if self._first is None:
            self._before.append(row)
        else:
            self._writer.writerow((*row, *[""] * len(self._first.labels)))


def _place(captured_ms: int | None, frame: int, index: int, face: Face | None) -> tuple[object, ...]:
    """The columns up to the box; what is not known is empty."""
    seconds = "" if captured_ms is None else f"{captured_ms / 1000:.3f}"
    where = [""] * 5 if face is None else [face.track, *(f"{number:.1f}" for number in face.box)]
    return (seconds, frame, index, *where)
