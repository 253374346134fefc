from pathlib import Path

import cv2
import numpy as np
import pytest

from capture_service import detectors
from capture_service.detectors.blazeface import Letterbox, anchors, decode, suppress
from capture_service.detectors.detection import Detection, KeyPoints
from capture_service.faces.quality import inside, judge, sharpness, turn
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import recording
from contract.model.framing import frame_face
from contract.model.preprocessing import crop, framing_square
from tests.conftest import shared


@pytest.fixture(scope="module")
def blazeface():
    return detectors.load("blazeface")


@pytest.fixture(scope="module")
def hopper():
    mpl = pytest.importorskip("matplotlib")
    return cv2.imread(str(Path(mpl.get_data_path(), "sample_data", "grace_hopper.jpg")), cv2.IMREAD_COLOR)


def test_blazeface_finds_the_face_of_a_portrait_with_its_key_points(blazeface, hopper):
    (found,) = blazeface.detect(hopper)

    left, top, width, height = found.box
    points = found.points
    assert found.score > 0.8
    assert 150 < left < 250
    assert 120 < top < 230
    assert 120 < width < 260
    # The person's right is on our left, the eyes above the nose and that above the mouth, all within the box.
    assert left < points.right_ear[0] + width / 4 < points.right_eye[0] + width / 4 < points.nose[0] + width / 4
    assert points.nose[0] < points.left_eye[0] < left + width
    assert top < points.right_eye[1] < points.nose[1] < points.mouth[1] < top + height


def test_a_mirrored_portrait_has_a_mirrored_box(blazeface, hopper):
    (found,) = blazeface.detect(hopper)
    (mirrored,) = blazeface.detect(hopper[:, ::-1].copy())
    middle = found.box[0] + found.box[2] / 2
    assert mirrored.box[0] + mirrored.box[2] / 2 == pytest.approx(hopper.shape[1] - middle, abs=8)


@pytest.mark.parametrize("shape", [(600, 200), (200, 600), (606, 512), (256, 256)])
def test_a_face_keeps_its_position_in_frames_of_any_shape(blazeface, hopper, shape):
    height, width = shape
    scale = min(height, width) / max(hopper.shape)
    small = cv2.resize(hopper, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((height, width, 3), 128, np.uint8)
    top, left = height - small.shape[0], width - small.shape[1]
    frame[top:, left:] = small
    (found,) = blazeface.detect(frame)
    (expected,) = blazeface.detect(small)
    assert found.box[0] - left == pytest.approx(expected.box[0], abs=6)
    assert found.box[1] - top == pytest.approx(expected.box[1], abs=6)


@pytest.mark.parametrize("picture", [np.zeros((1, 1, 3), np.uint8), np.zeros((5, 4000, 3), np.uint8)])
def test_a_frame_of_an_odd_shape_has_no_face(blazeface, picture):
    assert blazeface.detect(picture) == []


@pytest.mark.long
def test_the_best_faces_are_kept_where_there_are_too_many(hopper):
    detector = detectors.load("blazeface", most=1)
    crowd = np.hstack([hopper, hopper, hopper])
    assert len(detector.detect(crowd)) == 1
    assert len(detectors.load("blazeface").detect(crowd)) == 3


def test_the_anchors_follow_the_outputs_of_the_network():
    centres = anchors()
    assert centres.shape == (896, 2)
    assert centres[0].tolist() == centres[1].tolist() == [0.5 / 16, 0.5 / 16]
    assert centres[2].tolist() == [1.5 / 16, 0.5 / 16]
    assert centres[512].tolist() == centres[517].tolist() == [0.5 / 8, 0.5 / 8]
    assert centres[-1].tolist() == [7.5 / 8, 7.5 / 8]


def test_offsets_are_pixels_from_the_anchor():
    raw, logits = np.zeros((896, 16), np.float32), np.full(896, -1000, np.float32)
    raw[0, :6], logits[0] = (4, 6, 20, 30, 1, 2), 1000
    boxes, points, scores = decode(raw, logits, anchors(), 0.5)
    assert boxes.tolist() == [[8 + 4 - 10, 8 + 6 - 15, 8 + 4 + 10, 8 + 6 + 15]]
    assert points[0, 0].tolist() == [9, 10]
    assert scores.tolist() == pytest.approx([1.0])


def test_only_the_best_of_overlapping_boxes_is_kept():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 0, 30, 10]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.7])) == [1, 2]


def test_positions_in_the_letterbox_are_mapped_back_to_the_picture():
    box = Letterbox.round(np.zeros((270, 480, 3), np.uint8))
    assert box.undo(np.array([0, 56, 256, 200], np.float32)).tolist() == pytest.approx([0, 0, 480, 270])


@pytest.mark.parametrize(
    ("name", "video", "least", "most"),
    [
        ("blazeface", "two-people-head-pose.gif", 1.95, 2.05),
        ("blazeface", "classroom.gif", 3.7, 4.05),
        ("haar", "two-people-head-pose.gif", 0.1, 0.25),
    ],
)
def test_faces_a_frame_on_real_videos(name, video, least, most):
    source, detector = make_recorded(recording(str(shared(f"videos/{video}"))), CaptureSettings()), detectors.load(name)
    source.open()
    counts = []
    while (frame := source.read()) is not None:
        counts.append(len(detector.detect(frame.picture)))
    assert least <= sum(counts) / len(counts) <= most


def test_both_faces_of_the_demo_clip_are_found_and_one_is_away_for_a_while(blazeface):
    source = make_recorded(recording("demo"), CaptureSettings())
    source.open()
    counts = []
    while (frame := source.read()) is not None:
        counts.append(len(blazeface.detect(frame.picture)))
    assert len(counts) == source.total == 120
    assert min(counts) == 1
    assert counts[0] == counts[-1] == max(counts) == 2
    assert counts.count(2) > len(counts) / 2


def test_haar_finds_a_frontal_face_without_key_points(hopper):
    found = detectors.load("haar").detect(hopper)
    assert (found[0].score, found[0].points) == (1.0, None)


def test_a_sharp_frontal_face_has_a_higher_quality_than_a_blurred_one(blazeface, hopper):
    (found,) = blazeface.detect(hopper)
    sharp = crop(hopper, framing_square(found.box))
    blurred = cv2.GaussianBlur(sharp, (0, 0), 3)
    quality = judge(sharp, found, hopper.shape[1], hopper.shape[0])
    assert quality.sharpness > 2 * sharpness(blurred)
    assert 0 < quality.brightness < 1
    assert quality.turn < 0.4
    assert quality.size == max(found.box[2:])
    assert quality.inside == 1.0


def test_a_flat_crop_is_not_sharp():
    flat = np.full((48, 48), 255, np.uint8)
    quality = judge(flat, Detection((0, 0, 10, 10), 1.0), 100, 100)
    assert (quality.sharpness, quality.brightness, quality.turn) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("nose", "expected"), [(50, 0.0), (75, 0.5), (25, 0.5), (100, 1.0), (130, 1.0)])
def test_the_turn_is_where_the_nose_lies_between_the_ears(nose, expected):
    points = KeyPoints((30, 40), (70, 40), (nose, 60), (50, 80), (0, 60), (100, 60))
    assert turn(points) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("box", "share"), [((0, 0, 10, 10), 1.0), ((-5, 0, 10, 10), 0.5), ((95, 95, 10, 10), 0.25), ((200, 0, 9, 9), 0.0)]
)
def test_the_visible_share_of_a_box_is_the_part_in_the_frame(box, share):
    assert inside(box, 100, 100) == pytest.approx(share)


def test_the_configured_detector_keeps_the_bounds_of_the_settings():
    source = make_recorded(recording("demo"), CaptureSettings())
    source.open()
    picture = source.read().picture
    source.close()
    usual = detectors.configured(CaptureSettings()).detect(picture)
    assert len(usual) > 1
    assert detectors.configured(CaptureSettings(max_faces=1)).detect(picture) == usual[:1]
    assert detectors.configured(CaptureSettings(max_faces=1), "haar").__class__.__name__ == "Haar"
    sure = detectors.configured(CaptureSettings(detector_min_score=0.99)).detect(picture)
    assert len(sure) < len(usual)


def test_a_face_is_framed_by_the_points_that_the_detector_gives(blazeface, hopper):
    """The whole way through real code: however the portrait is turned, the crop is nearly the same."""
    (upright,) = blazeface.detect(hopper)
    expected = frame_face(hopper, upright.box, upright.landmarks).astype(float)
    height, width = hopper.shape[:2]
    around = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1)
    turned = cv2.warpAffine(hopper, around, (width, height), borderMode=cv2.BORDER_REPLICATE)
    (found,) = blazeface.detect(turned)
    framed = frame_face(turned, found.box, found.landmarks).astype(float)
    boxed = crop(turned, framing_square(found.box)).astype(float)
    assert np.corrcoef(expected.ravel(), framed.ravel())[0, 1] > 0.9
    assert np.corrcoef(expected.ravel(), boxed.ravel())[0, 1] < 0.8
