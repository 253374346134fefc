"""Splits that near-duplicates do not cross."""

import cv2
import numpy as np
import pytest

from contract.model.labels import EMOTIONS_5
from training.datasets.duplicates import groups, near
from training.datasets.faces import Faces
from training.datasets.halves import halves
from training.datasets.split import hold_out

RNG = np.random.default_rng(11)


def smooth(count: int) -> np.ndarray:
    """Pictures that differ in their low frequencies, as faces do: (count, 48, 48)."""
    coarse = RNG.integers(0, 256, (count, 14, 14), dtype=np.uint8)
    return np.stack([cv2.resize(one, (48, 48), interpolation=cv2.INTER_CUBIC) for one in coarse])


def nearly(images: np.ndarray) -> list[np.ndarray]:
    """The same pictures darker, compressed, noisy and mirrored."""
    noise = RNG.normal(0, 4, images.shape)
    jpeg = [cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0) for image in images]
    return [
        (images * 0.6 + 20).astype(np.uint8),
        np.stack(jpeg),
        np.clip(images + noise, 0, 255).astype(np.uint8),
        np.ascontiguousarray(images[:, :, ::-1]),
    ]


@pytest.fixture
def faces() -> Faces:
    """300 pictures and nearly the same 300 once more, in five emotions of different size."""
    images = smooth(300)
    labels = np.repeat(np.arange(5), [120, 20, 80, 50, 30])
    order = RNG.permutation(600)
    again = np.concatenate([images, nearly(images)[2]])
    return Faces(again[order], np.concatenate([labels, labels])[order], EMOTIONS_5)


@pytest.mark.parametrize("way", range(4), ids=["darker", "compressed", "noisy", "mirrored"])
def test_a_near_duplicate_is_found(way):
    images = smooth(50)

    assert near(nearly(images)[way], images).all()


def test_other_pictures_are_not_near_duplicates():
    images = smooth(400)

    assert not near(images[:200], images[200:]).any()
    assert groups(images).tolist() == list(range(400))


def test_near_duplicates_of_near_duplicates_are_one_group():
    images = smooth(3)

    assert groups(np.concatenate([images, *nearly(images)])).tolist() == [0, 1, 2] * 5


@pytest.mark.parametrize("split", [halves, lambda faces: hold_out(faces, 0.2, 3)], ids=["halves", "a fifth"])
def test_no_picture_has_a_near_duplicate_on_the_other_side_of_a_split(faces, split):
    one, other = split(faces)

    assert len(one) + len(other) == 600
    assert not near(one.images, other.images).any()


def test_both_halves_have_half_of_every_emotion(faces):
    for half in halves(faces):
        assert list(half.counts().values()) == [120, 20, 80, 50, 30]


def test_a_face_is_in_the_same_half_in_any_order_and_without_the_other_emotions(faces):
    chosen = {image.tobytes() for image in halves(faces)[0].images}
    few = np.flatnonzero(np.isin(faces.labels, [0, 2, 4]))

    for part in (faces.take(RNG.permutation(600)), faces.take(RNG.permutation(few))):
        again = {image.tobytes() for image in halves(part)[0].images}
        assert again == chosen & {image.tobytes() for image in part.images}
