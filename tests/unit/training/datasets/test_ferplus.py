import csv
from pathlib import Path

import numpy as np
import pytest

from training.datasets.dataset import DatasetError, read
from training.datasets.ferplus import VOTE_COLUMNS, make_npz

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (6, 48, 48), dtype=np.uint8)
USAGES = ("Training", "Training", "Training", "PublicTest", "PrivateTest", "Training")
VOTED = ("anger", "NF", "happiness", "sadness", "fear", "contempt")


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]))
        written.writeheader()
        written.writerows(rows)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    pixels = [" ".join(map(str, image.ravel())) for image in IMAGES]
    rows = [{"emotion": 3, "pixels": one, "Usage": usage} for one, usage in zip(pixels, USAGES, strict=True)]
    return write(tmp_path / "fer2013.csv", rows)


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    rows = [
        {"Usage": usage, "Image name": f"fer{row}.png", **{column: 10 * (column == voted) for column in VOTE_COLUMNS}}
        for row, (usage, voted) in enumerate(zip(USAGES, VOTED, strict=True))
    ]
    return write(tmp_path / "fer2013new.csv", rows)


def test_faces_of_one_usage_get_their_own_votes(pictures, votes, tmp_path):
    assert make_npz(pictures, votes, "Training", tmp_path / "new" / "faces.npz") == 3

    with np.load(tmp_path / "new" / "faces.npz") as arrays:
        assert arrays["row"].tolist() == [0, 2, 5]
        assert np.array_equal(arrays["images"], IMAGES[[0, 2, 5]])
        assert arrays["fer2013_label"].tolist() == [3, 3, 3]


def test_the_file_that_is_made_is_read_as_a_dataset(pictures, votes, tmp_path):
    make_npz(pictures, votes, "Training", tmp_path / "faces.npz")

    faces = read(tmp_path / "faces.npz", ("contempt", "happy", "angry"))

    assert faces.labels.tolist() == [2, 1, 0]
    assert faces.shares.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_files_that_do_not_match_are_refused(pictures, votes, tmp_path):
    short = tmp_path / "short.csv"
    short.write_text("".join(votes.read_text().splitlines(keepends=True)[:-1]))
    moved = tmp_path / "moved.csv"
    lines = votes.read_text().splitlines(keepends=True)
    moved.write_text("".join([*lines[:3], lines[4], lines[3], *lines[5:]]))

    with pytest.raises(DatasetError, match="not FER2013 and its FER"):
        make_npz(pictures, short, "Training", tmp_path / "faces.npz")
    with pytest.raises(DatasetError, match=r"row 2 is Training in .* but PublicTest"):
        make_npz(pictures, moved, "Training", tmp_path / "faces.npz")


@pytest.mark.parametrize("pixels", ["1 2 3", "256 " * 2304, "a " * 2304])
def test_pixels_that_are_not_a_picture_are_refused(pictures, votes, tmp_path, pixels):
    other = write(tmp_path / "other.csv", [{"emotion": 1, "pixels": pixels, "Usage": usage} for usage in USAGES])

    with pytest.raises(DatasetError, match="not FER2013"):
        make_npz(other, votes, "Training", tmp_path / "faces.npz")


def test_a_missing_file_and_an_unknown_usage_are_named(pictures, votes, tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere\.csv: No such file"):
        make_npz(tmp_path / "nowhere.csv", votes, "Training", tmp_path / "faces.npz")
    with pytest.raises(DatasetError, match="no usage called 'Test' in FER2013; there are: Training, PublicTest"):
        make_npz(pictures, votes, "Test", tmp_path / "faces.npz")
