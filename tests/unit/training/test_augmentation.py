import numpy as np
import pytest

from contract.model.labels import EMOTIONS_5
from tests.lazy import LazyModule
from training.augmentation import Augmentation
from training.datasets.faces import Faces
from training.recipe import EMOTII, SEED

batching = LazyModule("training.fitting.batches")
STILL = Augmentation(
    flip=0, shift=0, rotation=0, zoom=0, gamma=0, contrast=0, dark=0, noise=0, soft=0, erasing=0
)  # fmt: skip
RNG = np.random.default_rng(2)
IMAGES = RNG.integers(0, 256, (40, 48, 48), dtype=np.uint8)


def test_with_all_chances_at_zero_faces_are_unchanged():
    assert np.array_equal(STILL.apply(IMAGES, np.random.default_rng(0)), IMAGES)


def test_a_flip_mirrors_the_face_left_to_right():
    always = Augmentation(**{**vars(STILL), "flip": 1})

    assert np.array_equal(always.apply(IMAGES, np.random.default_rng(0)), IMAGES[:, :, ::-1])


@pytest.mark.parametrize("kind", ["gamma", "contrast", "dark", "noise", "soft", "erasing", "shift", "rotation", "zoom"])
def test_every_kind_changes_copies_of_the_faces(kind):
    before = IMAGES.copy()
    one = Augmentation(**{**vars(STILL), kind: 1 if kind != "rotation" else 15})

    changed = one.apply(IMAGES, np.random.default_rng(0))

    assert changed.dtype == np.uint8
    assert changed.shape == IMAGES.shape
    assert (changed != IMAGES).any(axis=(1, 2)).all()
    assert np.array_equal(IMAGES, before)


def test_dark_faces_are_darker_in_their_brightest_pixels_too():
    dark = Augmentation(**{**vars(STILL), "dark": 1}).apply(IMAGES, np.random.default_rng(0))

    assert (np.quantile(dark, 0.95, axis=(1, 2)) < 0.8 * np.quantile(IMAGES, 0.95, axis=(1, 2))).all()


@pytest.fixture
def faces() -> Faces:
    labels = RNG.permutation(np.repeat(np.arange(5), [20, 4, 6, 5, 5]))
    return Faces(IMAGES, labels, EMOTIONS_5)


def test_the_same_epoch_has_the_same_batches_and_the_next_one_others(faces):
    first, again, later = (batching.Batches(faces, EMOTII, epoch) for epoch in (3, 3, 4))

    assert all(np.array_equal(one, other) for one, other in zip(first[0], again[0], strict=True))
    assert not np.array_equal(first[0][0], later[0][0])
    again.on_epoch_end()
    assert np.array_equal(again[0][0], later[0][0])


def test_an_epoch_shows_every_face_with_its_own_target_once(faces):
    batches = batching.Batches(faces, SEED)
    seen = [row for place in range(len(batches)) for row in zip(*batches[place][:2], strict=True)]
    label_of = {
        SEED.normalisation.apply(image[None]).tobytes(): label
        for image, label in zip(IMAGES, faces.labels, strict=True)
    }

    assert len({picture.tobytes() for picture, _ in seen}) == len(seen) == 40
    assert all(label_of[picture.tobytes()] == target.argmax() for picture, target in seen)


def test_rare_emotions_have_more_weight_and_a_face_has_one_on_average():
    targets = np.eye(2, dtype=np.float32)[[0] * 16 + [1]]

    assert batching.weights(targets, 0) == pytest.approx(np.ones(17))
    assert batching.weights(targets, 0.5)[16] == pytest.approx(4 * batching.weights(targets, 0.5)[0])
    assert batching.weights(targets, 1).mean() == pytest.approx(1)
