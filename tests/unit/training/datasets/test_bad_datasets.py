"""Datasets as strangers have them: each is read, or refused in one line, and nothing is left out without a word."""

import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest
from rich.console import Console

from contract.model.labels import EMOTIONS_5, EMOTIONS_8, FER_PLUS_VOTES
from contract.printable import printable
from training.datasets.dataset import DatasetError, read
from training.datasets.folders import class_names
from training.datasets.left_out import LeftOut, summary
from training.datasets.material import prepare
from training.evaluation.faces import read_known
from training.recipe import SEED

RNG = np.random.default_rng(8)


def encoded(suffix: str = ".png", size: int = 48) -> bytes:
    return cv2.imencode(suffix, RNG.integers(0, 256, (size, size, 3), dtype=np.uint8))[1].tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Happy", "Sad"):
        (tmp_path / "faces" / name).mkdir(parents=True)
        (tmp_path / "faces" / name / "1.png").write_bytes(encoded())
    return tmp_path / "faces"


def reasons(path: Path, emotions: tuple[str, ...] = ("happy", "sad")) -> dict[str, str]:
    """What is left out, by the path in the dataset."""
    left_out = read(path, emotions, complete=False).left_out
    return {one.what.removeprefix(f"{path}/"): one.reason for one in left_out}


@pytest.mark.parametrize(
    "name", [".ipynb_checkpoints", ".git", "__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found"]
)
@pytest.mark.parametrize("below", ["", "Sad"])
def test_folders_of_systems_and_programs_are_no_classes(folder: Path, name: str, below: str):
    hidden = folder / below / name / "deeper"
    hidden.mkdir(parents=True)
    for place in (hidden, hidden.parent):
        (place / "1-checkpoint.png").write_bytes(encoded())

    assert class_names(folder) == ("happy", "sad")
    assert len(read(folder, ("happy", "sad"))) == 2
    assert reasons(folder) == {str(Path(below, name)): "a folder of the system or of a program"}


def test_every_file_that_is_not_used_is_listed_with_its_reason(folder: Path):
    files = {
        "Sad/._1.png": (b"\0\5\x16\7", "a hidden file"),
        "Sad/.DS_Store": (b"", "a hidden file"),
        "Sad/Thumbs.db": (b"", "of a format that is not read (.db)"),
        "Sad/phone.HEIC": (b"\0\0\0\x18ftypheic", "of a format that is not read (.heic)"),
        "Sad/new.avif": (b"\0\0\0\x18ftypavif", "of a format that is not read (.avif)"),
        "Sad/notes": (b"text", "of a format that is not read (no suffix)"),
        "Sad/empty.jpg": (b"", "not a readable picture"),
        "Sad/cut.jpg": (encoded(".jpg", 200)[:2000], "not a readable picture"),
        "Sad/cut.tif": (encoded(".tiff", 200)[:2000], "not a readable picture"),
        "Sad/text.png": (b"no picture", "not a readable picture"),
        "labels.csv": (b"a,b", "of a format that is not read (.csv)"),
        "loose.png": (encoded(), "in no class folder"),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    (folder / "Angry").mkdir()
    (folder / "Sad" / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "Sad" / "pipe.png")
    (folder / "Sad" / "again").symlink_to(folder)
    (folder / "Neutral").mkdir()
    (folder / "Neutral" / "1.png").write_bytes(encoded())

    assert reasons(folder) == {name: reason for name, (_, reason) in files.items()} | {
        "Angry": "an empty folder",
        "Sad/gone.png": "a link to nothing",
        "Sad/pipe.png": "no regular file",
        "Sad/again": "a link to a folder that was read already",
        "Neutral": "not named after one of happy, sad",
    }


def test_pictures_of_every_format_that_opencv_decodes_are_read(folder: Path):
    for suffix in (".bmp", ".gif", ".jp2", ".jpg", ".ppm", ".png", ".tiff", ".webp"):
        (folder / "Sad" / f"some{suffix}").write_bytes(encoded(suffix))
    for suffix, of in ((".jfif", ".jpg"), (".jpe", ".jpg"), (".JPEG", ".jpg"), (".tif", ".tiff"), (".dib", ".bmp")):
        (folder / "Sad" / f"other{suffix}").write_bytes(encoded(of))

    faces = read(folder, ("happy", "sad"))

    assert faces.left_out == ()
    assert faces.counts() == {"happy": 1, "sad": 14}


def test_pictures_of_16_bits_keep_their_light(folder: Path):
    gray = RNG.integers(0, 256, (48, 48), dtype=np.uint8)
    (folder / "Sad" / "1.png").unlink()
    (folder / "Sad" / "deep.tiff").write_bytes(cv2.imencode(".tiff", gray.astype(np.uint16) * 257)[1].tobytes())

    assert np.array_equal(read(folder, ("sad",)).images[0], gray)


def test_names_that_are_no_utf_8_are_read_and_printed(folder: Path):
    odd = os.fsdecode(b"caf\xe9\n.png")
    (folder / "Sad" / odd).write_bytes(encoded())
    (folder / "Sad" / f"broken{odd}").write_bytes(b"")
    faces = read(folder, ("happy", "sad"))

    assert faces.counts()["sad"] == 2
    (line,) = summary(faces.left_out)
    assert line.endswith(r"/Sad/brokencaf\xe9\n.png")
    line.encode()


@pytest.fixture
def not_root() -> Iterator[Path]:
    """A folder of a user who may not read every file."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    before = os.geteuid()
    with TemporaryDirectory() as place:
        os.chown(place, user, -1)
        os.seteuid(user)
        try:
            yield Path(place)
        finally:
            os.seteuid(before)


def test_files_and_folders_that_may_not_be_read_are_listed(not_root: Path):
    for name in ("Angry", "Happy", "Sad"):
        (not_root / name).mkdir()
        (not_root / name / "1.png").write_bytes(encoded())
    (not_root / "Sad" / "1.png").chmod(0)
    (not_root / "Happy").chmod(0)
    (not_root / "votes.npz").touch(0)

    assert reasons(not_root, ("angry", "happy", "sad")) == {
        "votes.npz": "of a format that is not read (.npz)",
        "Happy": "Permission denied",
        "Sad/1.png": "Permission denied",
    }
    with pytest.raises(DatasetError, match=r"votes\.npz is not an \.npz file .*: Permission denied"):
        read(not_root / "votes.npz")
    (not_root / "Happy").chmod(0o700)


def test_a_folder_whose_pictures_cannot_be_read_is_refused_with_the_reason(tmp_path: Path):
    (tmp_path / "Sad").mkdir()
    for number in range(9):
        (tmp_path / "Sad" / f"{number}.heic").write_bytes(b"")

    with pytest.raises(DatasetError) as error:
        read(tmp_path, ("happy", "sad"))

    assert "holds no pictures in folders called happy, sad; left out, of a format that is not read (.heic): " in str(
        error.value
    )
    assert str(error.value).endswith("/Sad/2.heic and 6 more")


def test_train_prints_what_it_leaves_out(folder: Path):
    for name in ("Angry", "Fear", "Surprise", "Happy", "Sad"):
        (folder / name).mkdir(exist_ok=True)
        for number in range(12):
            (folder / name / f"{number}.png").write_bytes(encoded())
    (folder / "Sad" / "photo.heic").write_bytes(b"")
    printed = io.StringIO()

    prepare(folder, None, SEED, None, Console(file=printed, width=500))

    assert f"left out, of a format that is not read (.heic): {folder}/Sad/photo.heic\n" in printed.getvalue()


@pytest.mark.parametrize("each", [1, 2, 3, 4])
@pytest.mark.parametrize("classes", [("happy",), ("happy", "sad"), ("awake", "tired", "happy")])
def test_few_pictures_are_split_or_refused_in_one_line(tmp_path: Path, classes: tuple[str, ...], each: int):
    for name in classes:
        (tmp_path / name).mkdir()
        for number in range(each):
            (tmp_path / name / f"{number}.png").write_bytes(encoded())

    complaint = ""
    try:
        material = prepare(tmp_path, None, SEED, None, Console(file=io.StringIO()))
    except DatasetError as error:
        complaint = str(error)
    else:
        assert sum(len(part) for part in material.parts().values()) == each * len(classes)
        assert all(len(part) for part in material.parts().values())

    assert not complaint or ("too few faces" in complaint and "\n" not in complaint)


def test_a_summary_names_ten_and_counts_the_others():
    left_out = [LeftOut.file(Path(f"{number}.gif"), "why") for number in range(13)] + [LeftOut("fear", "so", 1200)]

    assert list(summary(left_out)) == [
        f"left out, why: {', '.join(f'{number}.gif' for number in range(10))} and 3 more",
        "left out, so: fear (1,200)",
    ]
    assert printable(Path("plain ä.png")) == "plain ä.png"


def votes_for(*names: str) -> np.ndarray:
    return np.stack([np.eye(10, dtype=np.uint8)[FER_PLUS_VOTES.index(name)] * 7 for name in names])


def two_faces(**changed: np.ndarray) -> dict[str, np.ndarray]:
    return {"images": np.zeros((2, 48, 48), np.uint8), "votes": votes_for("happy", "sad"), **changed}


def member(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def declared(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    """The header of an array of this shape, and no more than some of its values."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": kind, "fortran_order": False, "shape": shape})
    return content.getvalue() + bytes(1000)


def write_npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"votes": votes_for("happy", "sad").astype(np.int64) - 1}, r"row 0 of `votes` is \[-1, 6, .*not from 0 to 25"),
        ({"votes": votes_for("happy", "sad").astype(np.int16) * 43}, r"row 0 of `votes` is \[0, 301, .* 0 to 255"),
        ({"votes": np.full((2, 10), np.nan)}, r"`votes` is \(2, 10\) float64, not \(n, 10\) whole numbers"),
        ({"votes": np.full((2, 10), np.inf, np.float32)}, "float32, not"),
        ({"votes": np.zeros((2, 10), bool)}, "bool, not"),
        ({"votes": np.full((2, 10), "a")}, "<U1, not"),
        ({"votes": np.full((2, 10), None)}, "object, not"),
        ({"votes": np.zeros(2, "u1,u1")}, r"not \(n, 10\) whole numbers"),
        ({"votes": np.uint8(3)}, r"`votes` is \(\) uint8"),
        ({"votes": np.zeros((2, 9), np.uint8)}, r"`votes` is \(2, 9\) uint8"),
        ({"images": np.zeros((2, 48, 48), np.float64)}, r"float64, not \(n, 48, 48\) uint8"),
        ({"images": np.zeros((2, 48, 48, 1), np.uint8)}, r"\(2, 48, 48, 1\) uint8, not"),
        ({"images": np.zeros((2, 2304), np.uint8)}, r"\(2, 2304\)"),
        ({"images": np.zeros((0, 48, 48), np.uint8), "votes": np.zeros((0, 10), np.uint8)}, "no face for angry"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, changed: dict[str, np.ndarray], complaint: str):
    np.savez(tmp_path / "faces.npz", **two_faces(**changed))

    with pytest.raises(DatasetError, match=complaint) as error:
        read(tmp_path / "faces.npz")
    assert "\n" not in str(error.value)
    assert str(tmp_path / "faces.npz") in str(error.value)


class Attack:
    """Code that unpickling runs."""

    def __reduce__(self):
        return (Path.touch, (Path("ran-by-unpickling"),))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    attack = np.array([Attack()], object)
    np.savez(tmp_path / "object.npz", **two_faces(votes=attack))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Attack()))
    write_npz(tmp_path / "member.npz", images=member(np.zeros((2, 48, 48), np.uint8)), votes=pickle.dumps(Attack()))
    np.save(tmp_path / "single.npy", attack)

    for name in ("object.npz", "pickle.npz", "member.npz", "single.npy"):
        with pytest.raises(DatasetError):
            read(tmp_path / name)
    assert not (tmp_path / "ran-by-unpickling").exists()


def test_a_damaged_npz_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "faces.npz"
    np.savez_compressed(path, images=RNG.integers(0, 256, (2, 48, 48), dtype=np.uint8), votes=votes_for("sad", "fear"))
    whole = path.read_bytes()
    middle = len(whole) // 3
    contents = [whole[:cut] for cut in (0, 1, 30, middle, len(whole) - 30, len(whole) - 1)]
    contents += [whole[:middle] + bytes(50) + whole[middle + 50 :], b"\x93NUMPY"]
    for place, value in ((8, 1), (10, 99)):  # encrypted; with a compression that does not exist
        changed = bytearray(whole)
        changed[whole.index(b"PK\1\2") + place] = value
        contents.append(bytes(changed))
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(DatasetError, match=r"faces\.npz is not an \.npz file with the arrays") as error:
            read(path)
        assert "\n" not in str(error.value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("images", "votes", "complaint"),
    [
        (declared((43_000_000, 48, 48)), declared((43_000_000, 10)), "43,000,000 rows; at most 2,000,000"),
        (declared((2, 48, 48)), declared((10_000_000_000, 10)), "is not an|10,000,000,000 rows"),
        (declared((100, 48, 48)), declared((100, 10)), "is not an"),
        (declared((2, 48, 48), "|V1000000000"), declared((2, 10)), r"not \(n, 48, 48\) uint8"),
        (declared((-1, 48, 48)), declared((2, 10)), "is not an"),
    ],
)
def test_a_file_that_declares_more_than_it_holds_fills_no_memory(
    tmp_path: Path, images: bytes, votes: bytes, complaint: str
):
    path = write_npz(tmp_path / "faces.npz", images=images, votes=votes)

    with pytest.raises(DatasetError, match=complaint) as error:
        read(path)
    assert "\n" not in str(error.value)


def test_faces_without_votes_have_no_label_and_others_are_counted(tmp_path: Path):
    votes = votes_for("happy", "neutral", "neutral", "unknown", "sad")
    votes[4] = 0
    np.savez(tmp_path / "faces.npz", images=RNG.integers(0, 256, (5, 48, 48), dtype=np.uint8), votes=votes)

    faces = read(tmp_path / "faces.npz", ("happy", "sad"), complete=False)
    assert faces.counts() == {"happy": 1, "sad": 0}
    assert list(summary(faces.left_out)) == [
        "left out, faces with most votes for: neutral (2), unknown (1)",
        "left out, faces: without votes (1)",
    ]
    assert read(tmp_path / "faces.npz", EMOTIONS_8, complete=False).counts()["neutral"] == 2


def test_emotions_that_nobody_voted_for_are_named(tmp_path: Path):
    np.savez(tmp_path / "faces.npz", **two_faces())

    with pytest.raises(DatasetError, match="has no face for tired"):
        read(tmp_path / "faces.npz", ("happy", "sad", "tired"))
    with pytest.raises(DatasetError, match="the model knows no hapy; it knows angry, fear, happy"):
        read_known(tmp_path / "faces.npz", EMOTIONS_5, only=["hapy", "sad"])


def test_a_path_that_cannot_be_looked_at_is_refused_in_one_line(tmp_path: Path):
    for path in (tmp_path / ("a" * 300), tmp_path / "nothing\udce9", tmp_path / "no\0thing"):
        with pytest.raises(DatasetError) as error:
            read(path)
        str(error.value).encode()
