"""The CSV of readings."""

import csv
from pathlib import Path

import pytest

from contract.atomic_file import AtomicFile, TextFile
from contract.errors import EmotiiError
from contract.messages import Face, FrameId, Quality, Reading
from jobs_service.outputs.outcomes import UnclassifiedFace
from jobs_service.outputs.readings_csv import PLACE, ReadingsCsv

FACE = Face(1, 7, (1, 2, 3, 4), 0.9, Quality(0.5, 0.5, 80, 0, 1))


def reading(frame: int, labels: tuple[str, ...], probabilities: tuple[float, ...], model: str = "m@1.0.0") -> Reading:
    return Reading(FrameId("job", "e", frame), FACE, 40 * frame, model, labels, probabilities, "w", 0, 0)


def written(path: Path, *faces: Reading | UnclassifiedFace, picture: str | None = None) -> list[dict[str, str]]:
    whole = AtomicFile(path)
    with whole, TextFile(whole) as file:
        table = ReadingsCsv(file, picture_names=picture is not None)
        table.write(faces, picture)
        table.finish()
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "faces.csv"


def test_probabilities_are_in_the_column_of_their_label_for_any_label_order_of_a_worker(path):
    first, second = written(
        path, reading(0, ("happy", "sad"), (0.9, 0.1)), reading(1, ("sad", "happy"), (0.7, 0.3), "m@1.0.1")
    )
    assert (first["happy"], first["sad"], first["emotion"]) == ("0.9000", "0.1000", "happy")
    assert (second["happy"], second["sad"], second["emotion"]) == ("0.3000", "0.7000", "sad")
    assert (second["time_s"], second["track"], second["width"], second["confidence"]) == ("0.040", "7", "3.0", "70.0")


def test_names_that_begin_like_a_formula_are_text_and_negative_numbers_stay_numbers(path):
    outside = Face(1, 7, (-3, -2, 3, 4), 0.9, Quality(0.5, 0.5, 80, 0, 1))
    one = Reading(FrameId("job", "e", 0), outside, 0, "m@1", ("=cmd", "sad"), (0.9, 0.1), "w", 0, 0)
    (row,) = written(path, one, picture="=HYPERLINK(1).png")
    assert (row["file"], row["left"], row["top"]) == ("'=HYPERLINK(1).png", "-3.0", "-2.0")
    assert (row["'=cmd"], row["emotion"]) == ("0.9000", "'=cmd")


def test_models_with_different_labels_are_rejected_in_one_table(path):
    with pytest.raises(EmotiiError, match=r"m@1.0.0 \(happy, sad\) and old@2.0.0 \(happy, fear\)"):
        written(path, reading(0, ("happy", "sad"), (0.9, 0.1)), reading(1, ("happy", "fear"), (0.7, 0.3), "old@2.0.0"))
    assert not list(path.parent.iterdir())


def test_an_unclassified_face_has_a_row_whether_it_comes_first_or_last(path):
    known, unknown = UnclassifiedFace(0, 1, "poison", 120, FACE), UnclassifiedFace(2, 0, "malformed")
    rows = written(path, known, reading(1, ("happy", "sad"), (0.9, 0.1)), unknown)
    assert [(row["frame"], row["face"], row["emotion"]) for row in rows] == [
        ("0", "1", ""),
        ("1", "1", "happy"),
        ("2", "0", ""),
    ]
    assert (rows[0]["time_s"], rows[0]["track"], rows[0]["left"], rows[0]["height"]) == ("0.120", "7", "1.0", "4.0")
    for row in (rows[0], rows[2]):
        assert row["confidence"] == row["happy"] == row["sad"] == ""
    assert rows[2]["track"] == rows[2]["left"] == rows[2]["time_s"] == ""


def test_a_table_of_only_unclassified_faces_has_their_rows(path):
    (row,) = written(path, UnclassifiedFace(0, 1, "poison", 120, FACE))
    assert tuple(row) == PLACE
    assert row["track"] == "7"


def test_every_row_of_a_folder_of_pictures_starts_with_the_name_of_the_picture(path):
    rows = written(
        path, UnclassifiedFace(0, 1, "poison"), reading(1, ("happy", "sad"), (0.9, 0.1)), picture="at sea, 1.jpg"
    )
    assert [row["file"] for row in rows] == ["at sea, 1.jpg"] * 2
    assert next(iter(rows[0])) == "file"
