import numpy as np
import pytest

from contract.model.normalisation import Normalisation

CROPS = np.random.default_rng(0).integers(40, 200, (3, 48, 48), dtype=np.uint8)
ALIKE = Normalisation(scale=0.25, offset=0.5, standardise=True)


def test_plain_pixels_are_scaled_and_shifted():
    inputs = Normalisation(scale=0.5, offset=-1).apply(CROPS)

    assert inputs.shape == (3, 48, 48, 1)
    assert inputs.dtype == np.float32
    assert inputs[..., 0] == pytest.approx(CROPS * 0.5 - 1)


def test_a_standardised_face_is_the_same_in_other_light():
    darker = np.rint(CROPS * 0.4 + 10).astype(np.uint8)

    assert ALIKE.apply(darker) == pytest.approx(ALIKE.apply(CROPS), abs=0.01)


def test_standardised_crops_have_the_same_mean_and_spread_in_any_batch():
    inputs = ALIKE.apply(CROPS)

    assert inputs.mean(axis=(1, 2, 3)) == pytest.approx(0.5, abs=1e-5)
    assert inputs.std(axis=(1, 2, 3)) == pytest.approx(0.25, abs=1e-5)
    assert ALIKE.apply(CROPS[:1]) == pytest.approx(inputs[:1])


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_crop_stays_flat_instead_of_becoming_noise(level: int):
    flat = np.full((1, 48, 48), level, np.uint8)
    flat[0, 0, 0] ^= 1

    assert ALIKE.apply(flat) == pytest.approx(0.5, abs=0.15)


def test_the_crops_themselves_are_left_as_they_are():
    before = CROPS.copy()
    ALIKE.apply(CROPS)

    assert (before == CROPS).all()
