import cv2
import numpy as np
import pytest

from capture_service import detectors
from capture_service.detectors.detection import Detection, KeyPoints
from capture_service.faces.flow_tracking import FlowTracker
from capture_service.faces.pipeline import FaceFinder
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import recording
from tests.conftest import shared

FPS = 30


def still(change: int = 0) -> np.ndarray:
    """(240, 320) of smooth noise; with a change of the upper left corner's brightness."""
    noise = np.random.default_rng(5).integers(40, 216, (30, 40), dtype=np.uint8)
    frame = cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)
    frame[:40, :40] = np.clip(frame[:40, :40].astype(int) + change, 0, 255)
    return frame


def face(left: float = 140, top: float = 100) -> Detection:
    points = [(left + x, top + y) for x, y in ((20, 20), (40, 20), (30, 35), (30, 45), (5, 25), (55, 25))]
    return Detection((left, top, 60, 60), 0.9, KeyPoints(*points))


def begun(*faces: Detection, every: float = 0.2) -> FlowTracker:
    """A tracker of these faces, detected twice: a changed number of faces is detected again."""
    flow_tracker = FlowTracker(every)
    for number in (-2, -1):
        flow_tracker.follow(still(), number / FPS)
        flow_tracker.restart(still(), number / FPS, faces)
    return flow_tracker


def frames_until_due(flow_tracker: FlowTracker, frames) -> int:
    """How many frames are followed before the next detection."""
    for number, frame in enumerate(frames):
        if flow_tracker.follow(frame, number / FPS) is None:
            return number
    raise AssertionError("never")


def test_faces_are_detected_again_after_the_interval():
    assert frames_until_due(begun(face()), [still(change=40)] * 100) == 5


def test_faces_of_an_unchanged_scene_are_detected_more_rarely():
    assert frames_until_due(begun(face()), [still()] * 100) == 29


def test_without_an_interval_a_detection_is_due_in_every_frame():
    assert begun(face(), every=0).follow(still(), 0.0) is None


def test_key_points_move_with_the_face():
    moved = np.roll(still(), (2, 5), axis=(0, 1))
    (followed,) = begun(face()).follow(moved, 0.0)
    assert followed.box == pytest.approx(face(145, 102).box, abs=0.5)
    for point, expected in zip(followed.points.all, face(145, 102).points.all, strict=True):
        assert point == pytest.approx(expected, abs=0.5)
    assert followed.score == face().score


def test_a_face_without_key_points_is_followed_by_its_box():
    (followed,) = begun(Detection((140, 100, 60, 60), 1.0)).follow(np.roll(still(), 4, axis=1), 0.0)
    assert (followed.points, followed.box[0]) == (None, pytest.approx(144, abs=0.5))


def test_a_face_that_moved_far_is_detected_at_once():
    assert frames_until_due(begun(face()), [np.roll(still(), 8 * number, axis=1) for number in range(1, 20)]) == 3


def test_a_lost_face_is_detected_at_once():
    covered = still()
    cv2.rectangle(covered, (120, 80), (220, 180), 128, cv2.FILLED)
    assert begun(face()).follow(covered, 0.0) is None


def test_faces_close_to_each_other_are_detected_in_every_frame():
    assert begun(face(100), face(165)).follow(still(), 0.0) is None
    assert begun(face(60), face(165)).follow(still(), 0.0) is not None


def test_a_changed_number_of_faces_is_detected_twice():
    flow_tracker = begun(face())
    flow_tracker.restart(still(), 0.0, [face(), face(20)])
    assert flow_tracker.follow(still(), 0.03) is None
    flow_tracker.restart(still(), 0.03, [face(), face(20)])
    assert flow_tracker.follow(still(), 0.06) is not None


@pytest.mark.parametrize("other", [np.zeros((100, 100), np.uint8), np.zeros((240, 320), np.uint8)])
def test_another_scene_is_detected_at_once(other: np.ndarray):
    assert begun(face()).follow(other, 0.0) is None


def test_nothing_is_followed_after_a_reset():
    flow_tracker = begun(face())
    flow_tracker.reset()
    assert flow_tracker.follow(still(), 0.0) is None


class Counted:
    """A detector that counts its calls."""

    def __init__(self) -> None:
        self._detector = detectors.load("blazeface")
        self.times = 0

    def detect(self, picture: np.ndarray) -> list[Detection]:
        self.times += 1
        return self._detector.detect(picture)


@pytest.mark.parametrize(
    ("video", "least", "most", "at_most"),
    [
        ("two-people-head-pose.gif", 1.95, 2.05, 0.35),
        ("classroom.gif", 3.7, 4.05, 0.45),
        ("walking.gif", 0.9, 2.1, 0.6),
    ],
)
def test_following_finds_as_many_faces_on_real_videos_with_few_detections(video, least, most, at_most):
    source, detector = make_recorded(recording(str(shared(f"videos/{video}"))), CaptureSettings()), Counted()
    faces = FaceFinder("video", detector, detect_every=0.2)
    source.open()
    counts = []
    while (frame := source.read()) is not None:
        counts.append(len(faces.find(frame.picture, frame.seconds)))
    assert least <= sum(counts) / len(counts) <= most
    assert detector.times <= at_most * len(counts)
