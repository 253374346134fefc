import cv2
import numpy as np
import pytest

from contract.errors import PictureError
from contract.model.labels import EMOTIONS_8
from rendering import images, overlay
from rendering.overlay import PALETTE, BoxLabel


def picture(width: int, height: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def pixels_of(drawn: np.ndarray, emotion: str) -> int:
    return int(np.all(drawn == PALETTE[overlay.hue(emotion)], axis=2).sum())


@pytest.mark.parametrize(
    ("width", "height"), [(160, 120), (320, 240), (640, 360), (1920, 1080), (240, 640), (4000, 3000)]
)
def test_a_label_has_a_background_high_enough_to_read_at_any_size(width: int, height: int):
    drawn = picture(width, height)
    overlay.draw(drawn, [BoxLabel((width * 0.4, height * 0.4, width * 0.2, height * 0.2), "happy", 97.3)])
    colour = np.all(drawn == PALETTE[overlay.hue("happy")], axis=2)
    above = colour[: round(height * 0.4)]
    rows = above.any(axis=1).sum()
    assert rows >= max(11, height * 0.02)
    assert colour.sum() > 100


def test_a_label_at_the_upper_edge_is_drawn_below_the_box():
    drawn = picture(640, 480)
    overlay.draw(drawn, [BoxLabel((100.0, 0.0, 100.0, 100.0), "sad", 50.0)])
    below = np.all(drawn[104:] == PALETTE[overlay.hue("sad")], axis=2)
    assert below.sum() > 500


@pytest.mark.parametrize(
    "box", [(-50.0, -50.0, 1000.0, 1000.0), (630.0, 470.0, 500.0, 500.0), (1e8, 1e8, 1e8, 1e8), (-1e8, 3.0, 5.0, 5.0)]
)
def test_a_box_over_the_edge_is_drawn_without_an_error(box: tuple[float, float, float, float]):
    overlay.draw(picture(640, 480), [BoxLabel(box, "angry", 10.0)])


def test_a_face_without_a_reading_gets_a_box_and_no_emotion():
    drawn = picture(640, 480)
    overlay.draw(drawn, [BoxLabel((100.0, 100.0, 100.0, 100.0))])
    assert drawn[100:202, 98:103].any()
    assert all(pixels_of(drawn, emotion) == 0 for emotion in EMOTIONS_8)


def test_an_uncertain_face_has_words_and_no_colour_of_an_emotion():
    drawn, box = picture(640, 480), (300.0, 300.0, 100.0, 100.0)
    overlay.draw(drawn, [BoxLabel(box, "fear or surprise", 45.0, certain=False)])
    assert np.all(drawn[:298] == overlay.NEUTRAL, axis=2).sum() > 500
    assert all(pixels_of(drawn, emotion) == 0 for emotion in EMOTIONS_8)


def test_the_usual_emotions_have_a_colour_each():
    assert len({overlay.hue(emotion) for emotion in EMOTIONS_8}) == 8


def test_placeholders_with_different_texts_differ():
    one = overlay.placeholder("front: OFFLINE", "unplugged", 640, 360)
    other = overlay.placeholder("door: OFFLINE", "unplugged", 640, 360)
    assert one.shape == (360, 640, 3)
    assert (one != other).any()
    assert one.max() > 200


def test_a_long_reason_stays_in_the_picture():
    drawn = overlay.placeholder("front: OFFLINE", "a very long reason " * 12, 320, 180)
    assert (drawn[:, :4] == drawn[0, 0]).all()
    assert (drawn[:, -4:] == drawn[0, 0]).all()


def test_a_picture_survives_its_encoding():
    drawn = overlay.placeholder("front: OFFLINE", "unplugged", 640, 360)
    again = images.decode(images.encode(drawn, 90))
    assert cv2.absdiff(drawn, again).mean() < 3


@pytest.mark.parametrize("junk", [b"", b"no picture", b"\xff\xd8\xff"])
def test_bytes_that_are_not_a_picture_are_refused(junk: bytes):
    with pytest.raises(PictureError):
        images.decode(junk)
