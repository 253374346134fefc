import math

import cv2
import numpy as np
import pytest

from capture_service.faces.median_flow import motion

BOX = (100.0, 80.0, 60.0, 60.0)


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Smooth noise: something to hold on to everywhere."""
    noise = np.random.default_rng(3).integers(0, 256, (30, 40), dtype=np.uint8)
    return cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)


def changed(scene: np.ndarray, across: float, down: float, growth: float = 1.0, roll: float = 0.0) -> np.ndarray:
    """The scene after its middle of BOX moved, and all round it grew and turned (degrees, clockwise)."""
    turn = cv2.getRotationMatrix2D((130, 110), -roll, growth) + np.array([[0, 0, across], [0, 0, down]])
    return cv2.warpAffine(scene, turn, scene.shape[::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize(("across", "down"), [(0, 0), (3, -2), (-9, 6), (12, 12)])
def test_a_face_is_where_it_moved_to(scene: np.ndarray, across: float, down: float):
    moved = motion(scene, changed(scene, across, down), BOX)
    assert moved.box(BOX) == pytest.approx((100 + across, 80 + down, 60, 60), abs=1)


@pytest.mark.parametrize("size", [20, 60, 160])
def test_the_size_of_a_face_does_not_matter(scene: np.ndarray, size: float):
    box = (130 - size / 2, 110 - size / 2, size, size)
    assert motion(scene, changed(scene, 4, 3), box).box(box)[:2] == pytest.approx((box[0] + 4, box[1] + 3), abs=1)


@pytest.mark.parametrize("growth", [0.95, 1.08])
def test_a_face_that_comes_nearer_grows(scene: np.ndarray, growth: float):
    left, top, width, height = motion(scene, changed(scene, 0, 0, growth), BOX).box(BOX)
    assert (width, height) == pytest.approx((60 * growth, 60 * growth), rel=0.02)
    assert (left + width / 2, top + height / 2) == pytest.approx((130, 110), abs=1)


@pytest.mark.parametrize("roll", [-6, 6])
def test_points_of_a_tilting_head_rotate_with_it(scene: np.ndarray, roll: float):
    x, y = motion(scene, changed(scene, 0, 0, roll=roll), BOX).point((150, 110))
    assert math.degrees(math.atan2(y - 110, x - 130)) == pytest.approx(roll, abs=1)


def test_the_motion_to_another_scene_is_not_known(scene: np.ndarray):
    assert motion(scene, scene[::-1, ::-1].copy(), BOX) is None


def test_a_face_that_is_covered_is_lost(scene: np.ndarray):
    covered = scene.copy()
    cv2.rectangle(covered, (90, 70), (170, 150), 128, cv2.FILLED)
    assert motion(scene, covered, BOX) is None


@pytest.mark.parametrize("corner", [(-30, -30), (290, 210), (-500, 40)])
def test_a_box_that_extends_over_the_edge_is_no_error(scene: np.ndarray, corner: tuple[float, float]):
    motion(scene, changed(scene, 2, 2), (*corner, 60.0, 60.0))
