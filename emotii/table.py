"""The CSV of an analysis: one row a face and frame."""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from contract.errors import SettingsError
from contract.judgement import judge
from contract.messages import Reading
from emotii.outcomes import Buried

PLACE = ("time_s", "frame", "face", "track", "left", "top", "width", "height", "emotion", "confidence")


class Table:
    """Writes rows to a file beside `path` and moves it there when all went well: no half a table under the final name.

    Raises:
        SettingsError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        try:
            self._file = self._partial.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"cannot write {path}: {error.strerror}") from error
        self._writer = csv.writer(self._file)
        self._labels: tuple[str, ...] | None = None
        self.rows = 0
        self.buried: list[Buried] = []
        self.tracks: set[int] = set()
        self.emotions: Counter[str] = Counter()

    def write(self, faces: Iterable[Reading | Buried]) -> None:
        """The faces of one frame. Buried ones have no row; they are kept in `buried`."""
        for face in faces:
            if isinstance(face, Buried):
                self.buried.append(face)
            else:
                self._write(face)

    def _write(self, reading: Reading) -> None:
        if self._labels is None:
            self._labels = reading.labels
            self._writer.writerow((*PLACE, *self._labels))
        probabilities = dict(zip(reading.labels, reading.probabilities, strict=True))
        judgement = judge(probabilities, reading.thresholds)
        self._writer.writerow(
            (
                f"{reading.captured_ms / 1000:.3f}",
                reading.id.frame,
                reading.face.index,
                reading.face.track,
                *(f"{number:.1f}" for number in reading.face.box),
                judgement.emotion,
                f"{judgement.confidence:.1f}",
                *(f"{probability:.4f}" for probability in reading.probabilities),
            )
        )
        self.rows += 1
        self.tracks.add(reading.face.track)
        self.emotions[judgement.emotion] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None and self._labels is None:
            self._writer.writerow(PLACE)  # no face in the whole recording: still a table
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)
