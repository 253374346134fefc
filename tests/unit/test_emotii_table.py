"""The table of an analysis, and what is said at its end."""

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from contract.errors import EmotiiError, SettingsError
from contract.messages import Face, FrameDone, FrameId, Quality, Reading
from emotii.outcomes import Buried, Outcomes
from emotii.summary import summarise
from emotii.table import PLACE, Table

FACE = Face(1, 7, (1, 2, 3, 4), 0.9, Quality(0.5, 0.5, 80, 0, 1))


def reading(frame: int, labels: tuple[str, ...], probabilities: tuple[float, ...], model: str = "m@1.0.0") -> Reading:
    return Reading(FrameId("job", "e", frame), FACE, 40 * frame, model, labels, probabilities, "w", 0, 0)


def written(path: Path, *faces: Reading | Buried) -> list[dict[str, str]]:
    with Table(path) as table:
        table.write(faces)
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "faces.csv"


def test_probabilities_stand_under_their_label_whatever_the_order_in_which_a_worker_has_them(path):
    first, second = written(
        path, reading(0, ("happy", "sad"), (0.9, 0.1)), reading(1, ("sad", "happy"), (0.7, 0.3), "m@1.0.1")
    )
    assert (first["happy"], first["sad"], first["emotion"]) == ("0.9000", "0.1000", "happy")
    assert (second["happy"], second["sad"], second["emotion"]) == ("0.3000", "0.7000", "sad")
    assert (second["time_s"], second["track"], second["width"], second["confidence"]) == ("0.040", "7", "3.0", "70.0")


def test_models_with_other_labels_do_not_mix_in_one_table(path):
    with pytest.raises(EmotiiError, match=r"m@1.0.0 \(happy, sad\) and old@2.0.0 \(happy, fear\)"):
        written(path, reading(0, ("happy", "sad"), (0.9, 0.1)), reading(1, ("happy", "fear"), (0.7, 0.3), "old@2.0.0"))
    assert not list(path.parent.iterdir())


def test_a_buried_face_has_its_row_whether_it_comes_first_or_last(path):
    known, unknown = Buried(0, 1, "poison", 120, FACE), Buried(2, 0, "malformed")
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


def test_a_table_of_nothing_but_buried_faces_has_their_rows(path):
    (row,) = written(path, Buried(0, 1, "poison", 120, FACE))
    assert tuple(row) == PLACE
    assert row["track"] == "7"


@pytest.mark.parametrize("name", ["", ".", "folder", "folder/..", "/"])
def test_a_folder_is_no_table(tmp_path, monkeypatch, name):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="it is a folder"):
        Table(Path(name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def said(path: Path, outcomes: Outcomes, stated: int | None, *faces: Reading | Buried) -> str:
    output = io.StringIO()
    with Table(path) as table:
        table.write(faces)
        table.write(face for frame in outcomes.complete_frames() for face in frame)
    summarise(table, outcomes, stated, Path("faces.csv"), Console(file=output, width=200))
    return output.getvalue()


def test_the_summary_tells_of_frames_that_could_not_be_read_and_of_an_early_end(path):
    outcomes = Outcomes()
    for number in range(5):
        note = f"damage {number}" if number in {2, 3} else ""
        outcomes.add(FrameDone(FrameId("job", "e", number), 0, 0, 0, 0, note))
    text = said(path, outcomes, 9)
    assert "2 frames could not be read, the first is number 2: damage 2" in text
    assert "ended at 5 of the 9 frames" in text


def test_the_summary_tells_of_buried_faces(path):
    text = said(path, Outcomes(), None, Buried(4, 1, "poison"), reading(5, ("happy", "sad"), (0.9, 0.1)))
    assert "2 faces of 1 tracks" in text
    assert "happy 100%" in text
    assert "1 face could not be classified, the first in frame 4: poison" in text


def test_the_summary_of_a_sound_recording_has_no_warning(path):
    outcomes = Outcomes()
    outcomes.add(FrameDone(FrameId("job", "e", 0), 0, 0, 0, 0))
    assert "could not" not in said(path, outcomes, 1)
    assert "ended" not in said(path, outcomes, 1)
