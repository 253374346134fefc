"""The CSV of an analysis: one row per face and frame."""

from collections.abc import Iterable

from contract.atomic_file import TextFile
from contract.csv_writer import CsvWriter
from contract.errors import EmotiiError
from contract.judgement import judge
from contract.messages import Face, Reading
from jobs_service.outputs.outcomes import UnclassifiedFace

FILE = "file"
"""The first column if the recording is a folder of pictures."""
PLACE = ("time_s", "frame", "face", "track", "left", "top", "width", "height", "emotion", "confidence")


class ReadingsCsv:
    """Writes the rows. The first reading determines the columns: one per label of its model.

    Args:
        file: the file to write.
        picture_names: whether each row starts with the file name of its picture.
    """

    def __init__(self, file: TextFile, *, picture_names: bool = False) -> None:
        self._writer = CsvWriter(file)
        self._place = (FILE, *PLACE) if picture_names else PLACE
        self._first: Reading | None = None
        """Its labels are columns."""
        self._before: list[tuple[object, ...]] = []
        """Rows of faces before the first reading."""

    def write(self, faces: Iterable[Reading | UnclassifiedFace], picture: str | None = None) -> None:
        """Write the faces of one frame; an unclassified face has neither emotion nor probabilities.

        Args:
            faces: of one frame.
            picture: the name of the frame's file in a folder of pictures.

        Raises:
            EmotiiError: a reading's labels differ from the columns, or the disk is full.
        """
        first = () if picture is None else (picture,)
        for face in faces:
            if isinstance(face, UnclassifiedFace):
                self._write_unclassified(first, face)
            else:
                self._write_reading(first, face)

    def finish(self) -> None:
        """Write the header if there was no reading."""
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
            raise EmotiiError(f"workers use different models: {first} and {other}; use one model for a table")
        return self._first.labels

    def _write_unclassified(self, first: tuple[str, ...], face: UnclassifiedFace) -> None:
        row = (*first, *_place(face.captured_ms, face.frame, face.index, face.face), "", "")
        if self._first is None:
            self._before.append(row)
        else:
            self._writer.writerow((*row, *[""] * len(self._first.labels)))


def _place(captured_ms: int | None, frame: int, index: int, face: Face | None) -> tuple[object, ...]:
    """The columns up to the box; unknown values are empty."""
    seconds = "" if captured_ms is None else f"{captured_ms / 1000:.3f}"
    where = [""] * 5 if face is None else [face.track, *(f"{number:.1f}" for number in face.box)]
    return (seconds, frame, index, *where)
