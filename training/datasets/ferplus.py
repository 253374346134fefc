"""Making the `.npz` format from the public files: the pictures of FER2013 and the votes of the FER+ taggers."""

import csv
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.atomic_file import AtomicFile, check_outputs, writable
from contract.errors import reason_of
from contract.model.labels import FER_PLUS_VOTES
from contract.model.normalisation import CROP_SIZE
from contract.printable import printable
from training.datasets.faces import DatasetError

USAGES = ("Training", "PublicTest", "PrivateTest")
VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "nf",
)
"""The column names of fer2013new.csv in lower case, in the order of `FER_PLUS_VOTES`."""
EMOTIONS = 7
UNKNOWN = 255


@dataclass(frozen=True)
class Made:
    """The counts of what was made."""

    faces: int
    unvoted: int
    """Faces of the usage that were left out, because nobody voted for an emotion."""


def make_npz(pictures: Path, votes: Path, usage: str, out: Path) -> Made:
    """Write the faces of one `usage` with at least one vote for an emotion.

    Args:
        pictures: fer2013.csv or icml_face_data.csv (`emotion`, `pixels`, `Usage`), of Kaggle's facial expression
            challenge of 2013.
        votes: fer2013new.csv of FER+, with its rows in the order of the other file.
        usage: Training, PublicTest or PrivateTest.
        out: the `.npz`: `images`, `votes`, `fer2013_label` and `row`.

    Raises:
        DatasetError: a file is missing or not in its format, or the two files do not match.
        SettingsError: `out` cannot be written.
    """
    if usage not in USAGES:
        raise DatasetError(f"no usage called {usage!r} in FER2013; there are: {', '.join(USAGES)}")
    if out.suffix != ".npz":
        raise DatasetError(f"--out {printable(out)}: the name of the file must end in .npz")
    check_outputs([out], [pictures, votes])
    images, counts, labels, rows = [], [], [], []
    unvoted = 0
    with (
        closing(_rows(pictures, ("usage", "pixels"))) as faces,
        closing(_rows(votes, ("usage", *VOTE_COLUMNS))) as tags,
    ):
        for row, (picture, tagged) in enumerate(zip_longest(faces, tags)):
            if picture is None or tagged is None:
                shorter, longer = (pictures, votes) if picture is None else (votes, pictures)
                raise DatasetError(f"{printable(shorter)} has {row:,} rows, and {printable(longer)} has more")
            used = picture.usage()
            if used != tagged.usage():
                raise DatasetError(f"{picture.place} is of {used}, but {tagged.place} of {tagged.usage()}")
            if used != usage:
                continue
            voted = [tagged.number(column, 255) for column in VOTE_COLUMNS]
            # A face without a vote for an emotion has no target.
            if not any(voted[: FER_PLUS_VOTES.index("unknown")]):
                unvoted += 1
                continue
            images.append(picture.face())
            counts.append(voted)
            labels.append(picture.number("emotion", EMOTIONS - 1) if picture.values.get("emotion") else UNKNOWN)
            rows.append(row)
    if not images:
        raise DatasetError(f"{printable(pictures)} has no face of {usage} with votes")
    with writable(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with AtomicFile(out) as partial, writable(out):
        np.savez_compressed(
            partial,
            images=np.stack(images),
            votes=np.array(counts, np.uint8),
            fer2013_label=np.array(labels, np.uint8),
            row=np.array(rows, np.int32),
        )
    return Made(len(images), unvoted)


@dataclass(frozen=True)
class _Row:
    """A row of a table, by column names in lower case."""

    place: str
    values: dict[str, str]

    def usage(self) -> str:
        """One of `USAGES`."""
        for usage in USAGES:
            if self.values["usage"].casefold() == usage.casefold():
                return usage
        raise DatasetError(f"{self.place}: the usage is {self.values['usage'][:40]!r}, not {', '.join(USAGES)}")

    def number(self, column: str, most: int) -> int:
        """A whole number from 0 to `most`."""
        text = self.values[column]
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most):
            raise DatasetError(f"{self.place}: {column} is {text[:40]!r}, not a whole number from 0 to {most}")
        return int(text)

    def face(self) -> NDArray[np.uint8]:
        """(48, 48)."""
        try:
            levels = np.array(self.values["pixels"].split(), np.int64)
        except (ValueError, OverflowError) as error:
            raise DatasetError(f"{self.place}: a pixel is no whole number ({error})") from error
        if levels.size != CROP_SIZE**2:
            raise DatasetError(f"{self.place}: the picture has {levels.size:,} pixels, not {CROP_SIZE**2:,}")
        if levels.min() < 0 or levels.max() > 255:
            raise DatasetError(f"{self.place}: the pixels are {levels.min()} to {levels.max()}, not from 0 to 255")
        return levels.astype(np.uint8).reshape(CROP_SIZE, CROP_SIZE)


def _rows(path: Path, columns: tuple[str, ...]) -> Generator[_Row, None, None]:
    """The rows of a table that has these columns: in any order and case, with blanks around, and others besides.

    Close it: while it waits for its next row, the file is open.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    name = printable(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.reader(file)
            header = [cell.strip().casefold() for cell in next(table, [])]
            for column in columns:
                if header.count(column) != 1:
                    found = ", ".join(header)[:200] or "empty"
                    often = "several columns" if column in header else "no column"
                    raise DatasetError(f"{name} has {often} called {column!r} in its first line ({found})")
            for cells in table:
                if not any(cell.strip() for cell in cells):
                    continue  # a blank line
                place = f"{name}, line {table.line_num}"
                if len(cells) != len(header):
                    raise DatasetError(f"{place} has {len(cells)} cells, and the first line {len(header)}")
                yield _Row(place, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    except OSError as error:
        raise DatasetError(f"{name}: {reason_of(error)}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{name} is not UTF-8 text: save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise DatasetError(f"{name} is not a CSV file: {error}") from error
