import csv
from pathlib import Path

import numpy as np
import psutil
import pytest

from contract.errors import SettingsError
from training.datasets.dataset import DatasetError, read
from training.datasets.ferplus import VOTE_COLUMNS, Made, make_npz

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
    assert make_npz(pictures, votes, "Training", tmp_path / "new" / "faces.npz") == Made(faces=3, unvoted=1)

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

    with pytest.raises(DatasetError, match=r"short\.csv has 5 rows, and .*fer2013\.csv has more"):
        make_npz(pictures, short, "Training", tmp_path / "faces.npz")
    with pytest.raises(
        DatasetError, match=r"fer2013\.csv, line 4 is of Training, but .*moved\.csv, line 4 of PublicTest"
    ):
        make_npz(pictures, moved, "Training", tmp_path / "faces.npz")


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_the_header_may_have_blanks_capitals_and_another_order(pictures, votes, tmp_path):
    """As in icml_face_data.csv: `emotion, Usage, pixels`."""
    make_npz(pictures, votes, "Training", tmp_path / "usual.npz")
    rows = [line.split(",") for line in lines(pictures)[1:]]
    pictures.write_text("\n".join(["emotion, Usage, pixels", *(f"{row[0]},{row[2]}, {row[1]}" for row in rows)]))
    rows = [",".join(reversed(line.split(","))) for line in lines(votes)]
    votes.write_bytes(("\ufeff" + "\r\n".join([rows[0].upper(), *rows[1:], "", ",,,,,,,,,,,"])).encode())

    assert make_npz(pictures, votes, "Training", tmp_path / "icml.npz").faces == 3

    with np.load(tmp_path / "usual.npz") as usual, np.load(tmp_path / "icml.npz") as icml:
        for name in ("images", "votes", "fer2013_label", "row"):
            assert np.array_equal(usual[name], icml[name])


PIXELS = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("line", "text", "complaint"),
    [
        (3, "3,1 2 3,Training", r"line 4: the picture has 3 pixels, not 2,304"),
        (3, f"3,{PIXELS} 7,Training", "line 4: the picture has 2,305 pixels"),
        (3, f"3,256{PIXELS[1:]},Training", "line 4: the pixels are 7 to 256, not from 0 to 255"),
        (3, f"3,-1{PIXELS[1:]},Training", "line 4: the pixels are -1 to 7, not"),
        (3, f"3,a{PIXELS[1:]},Training", "line 4: a pixel is no whole number"),
        (3, f"3,{'9' * 30}{PIXELS[1:]},Training", "line 4: a pixel is no whole number"),
        (3, "3,,Training", "line 4: the picture has 0 pixels"),
        (3, "3,Training", "line 4 has 2 cells, and the first line 3"),
        (3, f"3,{PIXELS},Training,more", "line 4 has 4 cells"),
        (3, f"7,{PIXELS},Training", "line 4: emotion is '7', not a whole number from 0 to 6"),
        (3, f"-1,{PIXELS},Training", "line 4: emotion is '-1'"),
        (3, f"happy,{PIXELS},Training", "line 4: emotion is 'happy'"),
        (3, f"3,{PIXELS},Train", "line 4: the usage is 'Train', not Training, PublicTest, PrivateTest"),
        (0, "emotion;pixels;Usage", r"no column called 'usage' in its first line \(emotion;pixels;usage\)"),
        (0, "emotion,pixels,Usage,usage", "several columns called 'usage'"),
        (0, "emotion,Usage", "no column called 'pixels'"),
        (0, "", "no column called 'usage' in its first line"),
    ],
)
def test_a_table_of_pictures_with_an_error_is_refused_with_file_line_and_reason(
    pictures, votes, tmp_path, line, text, complaint
):
    changed = lines(pictures)
    changed[line] = text
    pictures.write_text("\n".join(changed))

    with pytest.raises(DatasetError, match=rf"fer2013\.csv.*{complaint}") as error:
        make_npz(pictures, votes, "Training", tmp_path / "faces.npz")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "faces.npz").exists()


def test_tables_that_are_refused_are_closed(pictures, votes, tmp_path):
    changed = lines(votes)
    changed[3] = "Training,fer2.png,0,300,0,0,0,0,0,0,0,0"
    votes.write_text("\n".join(changed), encoding="utf-8")

    with pytest.raises(DatasetError) as error:  # whose traceback keeps what reads them alive
        make_npz(pictures, votes, "Training", tmp_path / "faces.npz")
    opened = [Path(file.path) for file in psutil.Process().open_files()]
    assert not {pictures, votes} & set(opened), error


@pytest.mark.parametrize("vote", ["300", "-1", "4.5", "nan", "", "\u0663", "9" * 5000])
def test_a_vote_that_is_no_number_of_votes_is_refused_with_file_line_and_column(pictures, votes, tmp_path, vote):
    changed = lines(votes)
    changed[3] = f"Training,fer2.png,0,{vote},0,0,0,0,0,0,0,0"
    votes.write_text("\n".join(changed), encoding="utf-8")

    with pytest.raises(
        DatasetError, match=r"fer2013new\.csv, line 4: happiness is .*, not a whole number from 0 to 255"
    ):
        make_npz(pictures, votes, "Training", tmp_path / "faces.npz")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no column called 'usage' in its first line \\(empty\\)"),
        (b"\xff\xfee\0m\0", "is not UTF-8 text: save it as CSV in UTF-8"),
        (b"emotion,pixels,Usage\n3,\xe9,Training", "is not UTF-8 text"),
        (b"PK\3\4\0\0\0\0", "no column called 'usage'"),
        (b"emotion,pixels,Usage\n", "has 0 rows, and .*fer2013new.csv has more"),
    ],
)
def test_a_file_that_is_no_table_of_pictures_is_refused(pictures, votes, tmp_path, content, complaint):
    pictures.write_bytes(content)

    with pytest.raises(DatasetError, match=complaint):
        make_npz(pictures, votes, "Training", tmp_path / "faces.npz")


def test_the_file_to_write_is_no_input_and_ends_in_npz(pictures, votes, tmp_path):
    with pytest.raises(DatasetError, match=r"must end in \.npz"):
        make_npz(pictures, votes, "Training", tmp_path / "faces")
    (tmp_path / "same.npz").hardlink_to(votes)
    with pytest.raises(SettingsError, match="it is an input"):
        make_npz(pictures, votes, "Training", tmp_path / "same.npz")
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot write"):
        make_npz(pictures, votes, "Training", tmp_path / "file" / "faces.npz")


def test_a_missing_file_and_an_unknown_usage_are_named(pictures, votes, tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere\.csv: No such file"):
        make_npz(tmp_path / "nowhere.csv", votes, "Training", tmp_path / "faces.npz")
    with pytest.raises(DatasetError, match="no usage called 'Test' in FER2013; there are: Training, PublicTest"):
        make_npz(pictures, votes, "Test", tmp_path / "faces.npz")
