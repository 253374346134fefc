import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.errors import EmotiiError
from contract.model.labels import EMOTIONS_5, EMOTIONS_8, FER_PLUS_VOTES
from contract.model.preprocessing import gray, resize
from training.datasets.dataset import DatasetError, Faces, hold_out, majority, read
from training.datasets.folders import class_names
from training.datasets.left_out import LeftOut
from training.datasets.votes import vote_shares

RNG = np.random.default_rng(5)


def votes_for(*names: str) -> np.ndarray:
    return np.stack([np.eye(10, dtype=np.uint8)[FER_PLUS_VOTES.index(name)] * 7 for name in names])


def faces_of(counts: list[int]) -> Faces:
    labels = RNG.permutation(np.repeat(np.arange(len(counts)), counts))
    return Faces(RNG.integers(0, 256, (len(labels), 48, 48), dtype=np.uint8), labels, EMOTIONS_5)


def write(file: Path, picture: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), picture)


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    for folder in ("Angry", "FEAR", "happy", "Sad", "Suprise"):
        write(tmp_path / folder / "a.png", RNG.integers(0, 256, (48, 48), dtype=np.uint8))
    return tmp_path


def test_each_vote_becomes_the_position_of_its_emotion():
    votes = votes_for("angry", "fear", "happy", "sad", "surprise")

    assert majority(votes, EMOTIONS_5).tolist() == [0, 1, 2, 3, 4]
    assert majority(votes_for("neutral", "contempt", "disgust"), EMOTIONS_8).tolist() == [5, 7, 6]


def test_faces_voted_something_else_have_no_label_and_are_left_out(tmp_path):
    names = ("neutral", "angry", "unknown", "fear", "not-a-face", "happy", "sad", "contempt", "surprise")
    images = RNG.integers(0, 256, (9, 48, 48), dtype=np.uint8)
    np.savez(tmp_path / "faces.npz", images=images, votes=votes_for(*names))

    faces = read(tmp_path / "faces.npz")

    assert majority(votes_for(*names), EMOTIONS_5).tolist() == [-1, 0, -1, 1, -1, 2, 3, -1, 4]
    assert faces.labels.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(faces.images, images[[1, 3, 5, 6, 8]])


def test_the_majority_counts_and_not_the_first_vote():
    votes = np.zeros((1, 10), np.uint8)
    votes[0, FER_PLUS_VOTES.index("neutral")] = 3
    votes[0, FER_PLUS_VOTES.index("sad")] = 4

    assert majority(votes, EMOTIONS_5).tolist() == [EMOTIONS_5.index("sad")]


def test_class_folders_are_read_in_any_case_and_with_the_misspelling(kaggle):
    faces = read(kaggle)

    assert faces.counts() == {"angry": 1, "fear": 1, "happy": 1, "sad": 1, "surprise": 1}


def test_an_unreadable_file_is_listed_and_skipped(kaggle):
    (kaggle / "Sad" / "broken.png").write_bytes(b"not a picture")
    (kaggle / "Sad" / "empty.jpg").write_bytes(b"")

    faces = read(kaggle)

    names = [f"{kaggle}/Sad/broken.png", f"{kaggle}/Sad/empty.jpg"]
    assert faces.left_out == tuple(LeftOut(name, "not a readable picture") for name in names)
    assert len(faces) == 5


def test_folders_that_are_not_named_after_an_emotion_are_ignored(kaggle):
    write(kaggle / "Neutral" / "a.png", np.zeros((48, 48), np.uint8))

    assert len(read(kaggle)) == 5


def test_pictures_of_folders_have_the_very_bytes_that_serving_would_see(kaggle):
    colour = RNG.integers(0, 256, (131, 97, 3), dtype=np.uint8)
    small = RNG.integers(0, 256, (30, 20, 3), dtype=np.uint8)
    write(kaggle / "Angry" / "b.png", colour)
    write(kaggle / "Angry" / "c.png", small)

    read_back = read(kaggle).images[1:3]

    assert read_back.tobytes() == resize(gray(colour)).tobytes() + resize(gray(small)).tobytes()


def test_gray_pictures_of_48_pixels_are_read_unchanged(tmp_path):
    pictures = RNG.integers(0, 256, (5, 48, 48), dtype=np.uint8)
    for emotion, picture in zip(EMOTIONS_5, pictures, strict=True):
        write(tmp_path / emotion / "a.png", picture)

    assert np.array_equal(read(tmp_path).images, pictures)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"images": np.zeros((2, 48, 48), np.uint8)}, "votes"),
        ({"images": np.zeros((2, 48, 48), np.float32), "votes": votes_for("sad", "fear")}, "float32"),
        ({"images": np.zeros((2, 32, 32), np.uint8), "votes": votes_for("sad", "fear")}, r"\(2, 32, 32\)"),
        ({"images": np.zeros((3, 48, 48), np.uint8), "votes": votes_for("sad", "fear")}, r"not \(3, 10\)"),
        ({"images": np.zeros((2, 48, 48), np.uint8), "votes": votes_for("sad", "fear")}, "no face for angry, happy"),
        ({"images": np.array([{}]), "votes": votes_for("sad")}, "object"),
    ],
)
def test_an_npz_in_another_format_is_refused_with_the_reason(tmp_path, arrays, complaint):
    np.savez(tmp_path / "faces.npz", **arrays)

    with pytest.raises(DatasetError, match=complaint):
        read(tmp_path / "faces.npz")


def test_a_file_that_is_not_an_npz_is_refused(tmp_path):
    (tmp_path / "faces.npz").write_bytes(b"PK but no archive")

    with pytest.raises(DatasetError, match=r"not an \.npz file"):
        read(tmp_path / "faces.npz")


@pytest.mark.parametrize("name", ["nothing.npz", "nothing"])
def test_a_missing_dataset_is_an_error_that_names_the_accepted_formats(tmp_path, name):
    with pytest.raises(EmotiiError, match=f"no dataset at .*{name}: give an .npz file"):
        read(tmp_path / name)


def test_a_folder_without_class_folders_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no pictures in folders called angry, fear"):
        read(tmp_path)


def test_the_split_holds_out_the_share_of_every_emotion():
    _, held = hold_out(faces_of([100, 20, 40, 10, 3]), 0.1, seed=1)

    assert list(held.counts().values()) == [10, 2, 4, 1, 1]


def test_the_split_is_disjoint_and_loses_no_face():
    faces = faces_of([50, 20, 30, 10, 7])

    rest, held = hold_out(faces, 0.1, seed=1)

    def pixels(of: Faces) -> list[bytes]:
        return [image.tobytes() for image in of.images]

    assert not set(pixels(rest)) & set(pixels(held))
    assert sorted(pixels(rest) + pixels(held)) == sorted(pixels(faces))


def test_the_split_keeps_each_face_with_its_label():
    faces = faces_of([50, 20, 30, 10, 7])
    label_of = {image.tobytes(): label for image, label in zip(faces.images, faces.labels, strict=True)}

    for part in hold_out(faces, 0.1, seed=1):
        assert [label_of[image.tobytes()] for image in part.images] == part.labels.tolist()


def test_the_split_depends_on_the_seed_alone():
    faces = faces_of([50, 20, 30, 10, 7])

    first, again, other = (hold_out(faces, 0.1, seed)[1] for seed in (1, 1, 2))

    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_class_folders_may_lie_deeper_and_in_several_places(kaggle, tmp_path_factory):
    place = tmp_path_factory.mktemp("dataset")
    shutil.copytree(kaggle, place / "archive" / "Data" / "train")
    shutil.copytree(kaggle, place / "archive" / "Data" / "test")

    assert read(place).counts() == dict.fromkeys(EMOTIONS_5, 2)


def test_any_folder_with_pictures_names_a_class_known_ones_first(kaggle):
    write(kaggle / "Wide Awake" / "a.png", np.zeros((48, 48), np.uint8))
    write(kaggle / "ANGER" / "a.png", np.zeros((48, 48), np.uint8))
    (kaggle / "empty").mkdir()

    assert class_names(kaggle) == (*EMOTIONS_5, "wide_awake")


def test_shares_are_those_of_the_votes_without_single_ones():
    votes = np.zeros((3, 10), np.uint8)
    columns = {name: FER_PLUS_VOTES.index(name) for name in FER_PLUS_VOTES}
    votes[0, [columns["sad"], columns["fear"], columns["angry"]]] = 6, 2, 1
    votes[1, [columns["sad"], columns["unknown"]]] = 3, 7
    votes[2, columns["happy"]] = 1

    shares = vote_shares(votes, EMOTIONS_5)

    assert shares == pytest.approx(np.array([[0, 0.25, 0, 0.75, 0], [0, 0, 0, 1, 0], [0, 0, 1, 0, 0]]))


def test_faces_are_taken_with_their_shares():
    faces = Faces(
        np.zeros((2, 48, 48), np.uint8), np.array([0, 1]), ("a", "b"), shares=np.array([[0.9, 0.1], [0.4, 0.6]])
    )

    taken = faces.take(np.array([1]))

    assert taken.targets(votes=True).tolist() == [[0.4, 0.6]]
    assert taken.targets(votes=False).tolist() == [[0, 1]]
