import math

import cv2
import numpy as np
import pytest

from contract.model.framing import MIDDLE, SPREAD, Framing, frame_face, show_face
from contract.model.landmarks import Landmarks
from contract.model.preprocessing import crop, framing_square

BOX = (60.0, 40.0, 100.0, 100.0)


def face(eyes: float, mouth: float, roll: float = 0.0, middle: tuple[float, float] = (110.0, 95.0)) -> Landmarks:
    """Landmarks with this distance of the eyes, and of the eyes from the mouth, turned clockwise by `roll` degrees."""
    turn = complex(math.cos(math.radians(roll)), math.sin(math.radians(roll)))
    places = [complex(*middle) + turn * complex(x, y) for x, y in ((-eyes / 2, 0), (eyes / 2, 0), (0, mouth))]
    shift = turn * complex(0, -mouth / 2)
    return Landmarks(*((place.real + shift.real, place.imag + shift.imag) for place in places))


def painted(landmarks: Landmarks, scale: float = 1.0) -> np.ndarray:
    """Black, with a blue, a green and a red spot at the landmarks."""
    picture = np.zeros((round(240 * scale), round(240 * scale), 3), np.uint8)
    for channel, (x, y) in enumerate((landmarks.right_eye, landmarks.left_eye, landmarks.mouth)):
        centre = round(x * scale * 16 - 8), round(y * scale * 16 - 8)
        colour = [0, 0, 0]
        colour[channel] = 255
        cv2.circle(picture, centre, round(4 * scale * 16), colour, cv2.FILLED, cv2.LINE_AA, shift=4)
    return picture


def spots(shown: np.ndarray) -> list[tuple[float, float]]:
    """Where the middles of the three spots are, in sides of the picture."""
    found = []
    for channel in range(3):
        moments = cv2.moments(shown[:, :, channel])
        places = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
        found.append(tuple((place + 0.5) / len(shown) for place in places))
    return found


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("roll", [-40, 0, 12, 90])
def test_eyes_and_mouth_are_placed_as_in_training_faces_in_any_pose_of_the_head(roll: int, scale: float):
    landmarks = face(40, 44, roll)
    scaled = Landmarks(*((x * scale, y * scale) for x, y in (landmarks.right_eye, landmarks.left_eye, landmarks.mouth)))
    box = tuple(number * scale for number in BOX)
    right, left, mouth = spots(show_face(painted(landmarks, scale), box, scaled, 48))
    assert right == pytest.approx((0.5 - 20 / 44 * SPREAD, MIDDLE - SPREAD / 2), abs=0.012)
    assert left == pytest.approx((0.5 + 20 / 44 * SPREAD, MIDDLE - SPREAD / 2), abs=0.012)
    assert mouth == pytest.approx((0.5, MIDDLE + SPREAD / 2), abs=0.012)


def test_a_head_that_turns_away_or_nods_keeps_its_size():
    frontal = Framing.of(face(44, 44), BOX)
    assert Framing.of(face(10, 44), BOX).side == pytest.approx(frontal.side)
    assert Framing.of(face(44, 10), BOX).side == pytest.approx(frontal.side)


def test_without_landmarks_the_box_decides():
    picture = np.random.default_rng(0).integers(0, 256, (240, 240, 3), dtype=np.uint8)
    assert (frame_face(picture, BOX, None) == crop(picture, framing_square(BOX))).all()
    assert show_face(picture, BOX, None, 100).shape == (100, 100, 3)


@pytest.mark.parametrize("landmarks", [face(0, 0), face(4, 4), face(400, 30)])
def test_impossible_landmarks_are_ignored(landmarks: Landmarks):
    picture = np.random.default_rng(0).integers(0, 256, (240, 240, 3), dtype=np.uint8)
    assert (frame_face(picture, BOX, landmarks) == crop(picture, framing_square(BOX))).all()


@pytest.mark.parametrize("middle", [(0.0, 0.0), (239.0, 120.0), (-300.0, 900.0)])
def test_a_face_at_the_edge_or_beyond_has_the_edge_repeated(middle: tuple[float, float]):
    picture = np.full((240, 240, 3), 77, np.uint8)
    pixels = frame_face(picture, BOX, face(40, 44, 20, middle))
    assert (pixels.shape, pixels.dtype) == ((48, 48), np.uint8)
    assert np.abs(pixels.astype(int) - 77).max() <= 1


def test_a_large_face_is_averaged_and_not_sampled():
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    pixels = frame_face(noise, (500.0, 500.0, 900.0, 900.0), face(380, 400, 15, (1000.0, 1000.0)))
    assert pixels.std() < 12, "of fine noise nothing is left"
