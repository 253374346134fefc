"""Empty, damaged and mislabelled videos: good frames are returned, damaged ones are flagged, none is mixed up."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from capture_service.settings import CaptureSettings
from capture_service.sources.camera import Camera, _colour
from capture_service.sources.spec import DEMO_CLIP, recording
from contract.errors import SourceError
from tests.unit.capture_service.sources import test_sources
from tests.unit.capture_service.sources.test_sources import damaged_clip
from tests.videos import flat, write_video

ANY, SMALL = CaptureSettings(), CaptureSettings(picture_max_megapixels=1)


def frames_of(path, settings=ANY, most=1000):
    return test_sources.frames_of(recording(str(path)), most, settings)


def clip(path, *sizes, fourcc="MJPG"):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), 10, sizes[0] if sizes else (64, 48))
    for number, (width, height) in enumerate(sizes):
        writer.write(np.full((height, width, 3), 20 * number + 20, np.uint8))
    writer.release()
    return path


def jpegs(path, *sizes):
    """JPEGs one behind the other, which is a video, too; frame n is 20 * n + 20 bright."""
    pictures = [np.full((height, width, 3), 20 * number + 20, np.uint8) for number, (width, height) in enumerate(sizes)]
    path.write_bytes(b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures))
    return path


REFUSED = {
    "no bytes": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"no video at all\n" * 100),
    "a video of no frames": clip,
    "a header alone": lambda path: path.write_bytes(DEMO_CLIP.read_bytes()[:500]),
    "zeros": lambda path: path.write_bytes(bytes(100_000)),
    "noise": lambda path: path.write_bytes(np.random.default_rng(1).bytes(100_000)),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_a_file_without_a_frame_is_refused_by_its_name(tmp_path, make):
    path = tmp_path / "video.avi"
    make(path)
    with pytest.raises(
        SourceError,
        match=r"^(cannot open \S+video.avi: it holds no video|\S+video.avi holds no frame .*that can be read)",
    ):
        frames_of(path)


def test_a_file_that_is_a_picture_by_its_first_bytes_alone_is_refused(tmp_path):
    path = tmp_path / "video.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 no picture at all")
    with pytest.raises(SourceError, match=r"cannot open \S+video.jpg: it holds no video that can be read"):
        frames_of(path)


@pytest.mark.parametrize("tenth", range(10))
def test_a_video_that_is_cut_off_gives_its_first_frames_or_is_refused(tmp_path, tenth):
    whole_path = tmp_path / damaged_clip(tmp_path, ())
    whole, path = whole_path.read_bytes(), tmp_path / "cut.avi"
    path.write_bytes(whole[: len(whole) * tenth // 10])
    try:
        frames = frames_of(path)
    except SourceError:
        assert tenth <= 5, "there are whole frames in it"
        return
    assert 5 * (tenth - 6) <= len(frames) <= 2 * tenth
    for frame in frames[:-1]:  # the last one may be cut in the middle
        assert frame.picture.mean() == pytest.approx(frame.number * 10, abs=3)


def test_frames_of_a_video_whose_size_changes_have_the_size_of_the_first(tmp_path):
    frames = frames_of(jpegs(tmp_path / "x.mjpeg", (64, 48), (64, 48), (160, 120), (32, 24)))
    assert [frame.picture.shape for frame in frames] == [(48, 64, 3)] * 4
    assert [round(float(frame.picture.mean()), -1) for frame in frames] == [20, 40, 60, 80]
    assert all(before.seconds < after.seconds for before, after in pairwise(frames))


@pytest.mark.parametrize("kind", ["big.avi", "big.mp4"])
def test_a_video_of_larger_frames_than_allowed_is_not_read(tmp_path, kind):
    path = clip(tmp_path / kind, *[(1200, 900)] * 2, fourcc="MJPG" if kind.endswith("avi") else "mp4v")
    assert len(frames_of(path)) == 2
    with pytest.raises(SourceError, match=r"big\.\w+ holds no frame of at most 1 megapixels"):
        frames_of(path, SMALL)


class Device:
    """A camera with the given frames."""

    def __init__(self, *pictures):
        self._pictures = list(pictures)

    def grab(self):
        return bool(self._pictures)

    def retrieve(self):
        return True, self._pictures.pop(0)

    def get(self, _figure):
        return 0.0  # as OpenCV returns for a value that a device does not state

    def release(self):
        pass


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 3)])
def test_a_gray_camera_gives_frames_in_three_channels(shape):
    assert _colour(np.zeros(shape, np.uint8)).shape == (48, 64, 3)


def test_a_camera_whose_frames_are_empty_for_a_moment_has_them_flagged():
    camera = Camera(recording("demo"), ANY)
    camera._capture = Device(*(np.zeros(size, np.uint8) for size in ((48, 64, 3), (0, 0, 3), (48, 64))))
    assert [camera.read().note for _ in range(3)] == ["", "the frame could not be decoded", ""]


@pytest.mark.parametrize("suffix", ["mp4", "avi", "mkv"])
def test_a_title_that_is_no_text_keeps_no_video_from_being_read(tmp_path, suffix):
    path = write_video(tmp_path / f"x.{suffix}", flat([90] * 5), title="Caf-e")
    path.write_bytes(path.read_bytes().replace(b"Caf-e", b"Caf\xe9e"))
    assert len(frames_of(path)) == 5
