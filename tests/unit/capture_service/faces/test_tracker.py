import math

import numpy as np
import pytest

from capture_service import detectors
from capture_service.faces.appearance import appearance, correlation
from capture_service.faces.tracker import Tracker
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import recording
from tests.conftest import shared


def test_two_faces_that_cross_slowly_keep_their_tracks():
    tracker = Tracker()
    numbers = set()
    for step in range(60):
        left, right = (100 + 4 * step, 100, 60, 60), (400 - 4 * step, 175, 60, 60)
        numbers.add(tuple(tracker.update([left, right], step / 15)))
    assert numbers == {(1, 2)}


def test_the_order_of_the_boxes_does_not_matter():
    tracker = Tracker()
    one, other = (0, 0, 50, 50), (200, 0, 50, 50)
    assert tracker.update([one, other], 0.0) == [1, 2]
    assert tracker.update([other, one], 0.1) == [2, 1]


def test_a_moving_face_survives_missed_detections():
    tracker = Tracker()
    for step in range(10):
        tracker.update([(20 * step, 50, 60, 60)], step / 15)
    assert tracker.update([], 10 / 15) == []
    assert tracker.update([(20 * 20, 50, 60, 60)], 20 / 15) == [1]


def test_a_face_that_comes_back_after_a_second_is_a_new_one():
    tracker = Tracker()
    tracker.update([(0, 0, 50, 50)], 0.0)
    assert tracker.update([(0, 0, 50, 50)], 0.9) == [1]
    assert tracker.update([(0, 0, 50, 50)], 2.0) == [2]


def test_a_face_far_away_or_of_another_size_is_a_new_one():
    tracker = Tracker()
    tracker.update([(0, 0, 50, 50)], 0.0)
    assert tracker.update([(120, 0, 50, 50)], 0.1) == [2]
    assert tracker.update([(0, 0, 50, 50), (120, 0, 160, 160)], 0.2)[1] == 3


def test_a_jump_of_less_than_its_width_keeps_the_track():
    tracker = Tracker()
    tracker.update([(0, 0, 50, 50)], 0.0)
    assert tracker.update([(45, 0, 50, 50)], 0.1) == [1]


def test_the_nearer_of_two_faces_gets_the_track():
    tracker = Tracker()
    tracker.update([(100, 100, 50, 50)], 0.0)
    assert tracker.update([(130, 100, 50, 50), (104, 100, 50, 50)], 0.1) == [2, 1]


def test_a_face_that_turns_round_is_still_followed():
    tracker = Tracker()
    numbers = {tracker.update([(200 + 150 * math.sin(step / 6), 50, 70, 70)], step / 15)[0] for step in range(150)}
    assert numbers == {1}


def test_the_numbers_of_tracks_are_not_reused_after_a_reset():
    tracker = Tracker()
    tracker.update([(0, 0, 50, 50)], 0.0)
    tracker.reset()
    assert tracker.update([(0, 0, 50, 50)], 0.1) == [2]


@pytest.mark.parametrize(("video", "people"), [("two-people-head-pose.gif", 2), ("classroom.gif", 4)])
def test_real_people_have_one_track_each_over_three_passes(video, people):
    source = make_recorded(recording(str(shared(f"videos/{video}")), passes=3), CaptureSettings())
    detector, tracker = detectors.load("blazeface"), Tracker()
    source.open()
    seen: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    while (frame := source.read()) is not None:
        boxes = [found.box for found in detector.detect(frame.picture)]
        seen[frame.number * 3 // source.total] |= set(tracker.update(boxes, frame.seconds))
    assert all(len(numbers) <= people for numbers in seen.values()), seen


def random_appearance(seed: int) -> np.ndarray:
    return appearance(np.random.default_rng(seed).integers(0, 255, (48, 48), np.uint8))


def test_a_face_that_appears_from_behind_another_keeps_its_track():
    tracker = Tracker()
    assert tracker.update([(100, 100, 60, 60), (170, 100, 60, 60)], 0.0) == [1, 2]
    for step in range(1, 26):
        assert tracker.update([(100, 100, 60, 60)], step / 10) == [1]
    assert tracker.update([(100, 100, 60, 60), (20, 100, 50, 50)], 2.6) == [1, 2]


def test_a_face_that_appears_elsewhere_is_not_the_hidden_one():
    tracker = Tracker()
    tracker.update([(100, 100, 60, 60), (170, 100, 60, 60)], 0.0)
    for step in range(1, 16):
        tracker.update([(100, 100, 60, 60)], step / 10)
    assert tracker.update([(100, 100, 60, 60), (420, 100, 60, 60)], 1.6) == [1, 3]


def test_a_hidden_face_that_appears_elsewhere_is_found_by_its_appearance():
    tracker = Tracker()
    tracker.update([(100, 100, 60, 60), (260, 100, 60, 60)], 0.0, [random_appearance(1), random_appearance(2)])
    tracker.update([(100, 100, 60, 60), (220, 100, 60, 60)], 0.1, [random_appearance(1), random_appearance(2)])
    tracker.update([(100, 100, 60, 60), (180, 100, 60, 60)], 0.2, [random_appearance(1), random_appearance(3)])
    for step in range(3, 20):
        tracker.update([(100, 100, 60, 60)], step / 10, [random_appearance(1)])
    numbers = tracker.update(
        [(100, 100, 60, 60), (330, 100, 60, 60)], 2.0, [random_appearance(1), random_appearance(2)]
    )
    assert numbers == [1, 2]


def test_the_appearance_decides_which_of_two_hidden_faces_appears():
    tracker = Tracker()
    apart, close = (
        [(200, 0, 60, 60), (0, 0, 60, 60), (400, 0, 60, 60)],
        [(200, 0, 60, 60), (125, 0, 60, 60), (275, 0, 60, 60)],
    )
    appearances = [random_appearance(1), random_appearance(2), random_appearance(3)]
    tracker.update(apart, 0.0, appearances)
    for step in range(1, 10):
        way = step / 9
        tracker.update(
            [tuple(a + way * (b - a) for a, b in zip(*pair, strict=True)) for pair in zip(apart, close, strict=True)],
            step / 10,
            appearances,
        )
    for step in range(10, 25):
        tracker.update([(200, 0, 60, 60)], step / 10, appearances[:1])
    assert tracker.update([(200, 0, 60, 60), (120, 0, 60, 60)], 2.5, [appearances[0], appearances[2]]) == [1, 3]


def test_appearances_of_one_face_correlate_in_any_light_and_those_of_two_do_not():
    face = np.random.default_rng(1).integers(0, 100, (48, 48), np.uint8)
    assert correlation(appearance(face), appearance(face * 2 + 20)) > 0.99
    assert abs(correlation(appearance(face), random_appearance(2))) < 0.5
    assert np.isfinite(appearance(np.zeros((48, 48), np.uint8))).all()
