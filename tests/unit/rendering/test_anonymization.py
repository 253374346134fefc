"""Faces that are hidden in the video: no face is recognisable with any blur and any box."""

import cv2
import numpy as np
import pytest

from api_gateway.video.renderer import Variant
from capture_service import detectors
from rendering.anonymization import hide
from tests.stage import clip_frames


@pytest.fixture(scope="module")
def detector():
    return detectors.load("blazeface")


def fine(picture: np.ndarray, box) -> np.ndarray:
    """What is left of a box without its coarse light and shade, which does not identify a person."""
    left, top, width, height = map(round, box)
    gray = cv2.cvtColor(picture[top : top + height, left : left + width], cv2.COLOR_BGR2GRAY).astype(np.float32)
    return gray - cv2.GaussianBlur(gray, (0, 0), width / 20)


@pytest.mark.parametrize("blur", ["blur", "mask"])
def test_a_hidden_face_is_found_by_no_detector_and_keeps_none_of_its_features(detector, blur):
    for frame in clip_frames(100)[::25]:
        found = detector.detect(frame)
        assert found
        hidden = frame.copy()
        hide(hidden, [one.box for one in found], blur)
        assert detector.detect(hidden) == []
        for one in found:
            before, after = fine(frame, one.box), fine(hidden, one.box)
            assert after.std() < 0.1 * before.std()


@pytest.mark.parametrize("blur", ["blur", "mask"])
def test_the_whole_head_is_hidden_and_nothing_far_from_it(blur):
    noise = np.random.default_rng(1).integers(0, 255, (400, 400, 3), np.uint8)
    hidden = noise.copy()
    hide(hidden, [(150.0, 150.0, 100.0, 100.0)], blur)
    changed = (hidden != noise).any(axis=2)
    assert changed[105:275, 120:280].mean() > 0.98
    assert not changed[:90].any()
    assert not changed[:, :100].any()


def test_off_hides_nothing():
    picture = clip_frames(1)[0]
    hidden = picture.copy()
    hide(hidden, [(100.0, 100.0, 100.0, 100.0)], "off")
    assert (hidden == picture).all()


@pytest.mark.parametrize("blur", ["blur", "mask"])
@pytest.mark.parametrize(
    "box", [(-50.0, -50.0, 1000.0, 1000.0), (1e8, 1e8, 1e8, 1e8), (-1e8, 3.0, 5.0, 5.0), (639.5, 479.5, 0.2, 0.2)]
)
def test_a_box_over_the_edge_is_hidden_without_an_error(box, blur):
    hide(clip_frames(1)[0], [box], blur)


def test_of_two_requested_modes_the_one_that_hides_more_counts():
    assert (
        Variant(blur="off").with_minimum_blur("blur")
        == Variant(blur="blur").with_minimum_blur("off")
        == Variant(blur="blur")
    )
    assert Variant(width=320, blur="mask").with_minimum_blur("blur") == Variant(width=320, blur="mask")
