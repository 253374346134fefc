"""Every frame is shown as a player shows it, at its true time, or is counted as unreadable."""

import random
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from capture_service import detectors
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.h264_references import H264References
from capture_service.sources.spec import recording
from contract.errors import SourceError
from contract.model.framing import frame_face
from contract.service.settings import load
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from tests.conftest import shared
from tests.unit.capture_service.sources.test_sources import frames_of
from tests.unit.rendering.test_images import with_scans
from tests.videos import flat, mangled, moving, write_video

RATE = 25


def pictures_of(path):
    return [frame.picture for frame in frames_of(recording(str(path)))]


def times_of(path):
    return [frame.seconds for frame in frames_of(recording(str(path)))]


def opened(path):
    source = make_recorded(recording(str(path)), CaptureSettings())
    source.open()
    return source


def two_moments(count, width=720, height=576):
    """Frames whose odd lines are from a later moment; the first lines of frame n are 20 + 8 n bright."""
    pictures = flat((20 + 8 * number for number in range(count)), width, height)
    for picture in pictures:
        picture[1::2] += 40
    return pictures


INTERLACED = {
    "AVCHD": ("libx264", "mp4", {"x264-params": "tff=1"}, "yuv420p"),
    "DVD": ("mpeg2video", "mpg", {"b": "20000000", "bf": "0"}, "yuv420p"),
    "DV": ("dvvideo", "avi", {}, "yuv420p"),
}


@pytest.mark.parametrize("kind", INTERLACED)
def test_an_interlaced_frame_is_the_picture_of_one_moment(tmp_path, kind):
    codec, suffix, options, pixels = INTERLACED[kind]
    path = tmp_path / f"video.{suffix}"
    write_video(path, two_moments(20), codec, options=options, pixels=pixels, interlaced=True)
    pictures = pictures_of(path)
    assert len(pictures) == 20
    for number, picture in enumerate(pictures):
        assert picture.shape[0] == 576
        assert picture.mean() == pytest.approx(20 + 8 * number, abs=6)
        assert picture.std() < 6


def test_a_film_that_becomes_interlaced_does_not_repeat_its_last_other_frame(tmp_path):
    whole = flat(range(20, 120, 5), 720, 576)
    parts = [
        write_video(tmp_path / f"{interlaced}.m2v", half, "mpeg2video", interlaced=interlaced, form="mpeg2video")
        for interlaced, half in ((False, whole[:10]), (True, whole[10:]))
    ]
    (tmp_path / "mixed.m2v").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert [picture.mean() for picture in pictures_of(tmp_path / "mixed.m2v")] == pytest.approx(
        list(range(20, 120, 5)), abs=4
    )


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(64, 45), (576, 1024)), (Fraction(8, 9), (648, 720))])
@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_pixels_that_are_not_square_are_made_square(tmp_path, codec, aspect, size):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    write_video(tmp_path / "x.mov", flat([90] * 3, 720, 576), codec, aspect=aspect, pixels=pixels)
    assert [picture.shape[:2] for picture in pictures_of(tmp_path / "x.mov")] == [size] * 3


ONE = 1 << 16


@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1),
                                    (0, 1, -1, 0), (0, -1, 1, 0), (0, 1, 1, 0), (0, -1, -1, 0)])  # fmt: skip
@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_a_video_is_turned_and_mirrored_by_its_display_matrix(tmp_path, codec, matrix):
    stored = flat([20] * 5, 64, 32)
    for picture in stored:
        picture[:16, :16] = 230  # the corner that shows where the picture went
    a, b, c, d = matrix
    nine = [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30]
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    write_video(tmp_path / "x.mov", stored, codec, matrix=nine, pixels=pixels, options={"crf": "10"})
    for picture in pictures_of(tmp_path / "x.mov"):
        assert picture.shape[:2] == ((64, 32) if a == 0 else (32, 64))
        bright = np.argwhere(picture[:, :, 1] > 125).mean(axis=0)
        # The corner's centre, from the centre of the stored picture, by the definition of the matrix.
        across, down = a * (8 - 32) + c * (8 - 16), b * (8 - 32) + d * (8 - 16)
        assert bright == pytest.approx([picture.shape[0] / 2 + down, picture.shape[1] / 2 + across], abs=1.5)


DAMAGED = {
    "H.264": ("libx264", "mp4", {"bf": "2"}),
    "H.264 of a camera": ("libx264", "mp4", {"tune": "zerolatency"}),
    "H.264 in a transport stream": ("libx264", "ts", {"bf": "2"}),
    "HEVC": ("libx265", "mp4", {}),
    "MPEG-2": ("mpeg2video", "ts", {"bf": "2"}),
    "MPEG-4": ("mpeg4", "mp4", {}),
    "MPEG-4 in AVI": ("mpeg4", "avi", {"bf": "2"}),
    "H.264 in AVI": ("libx264", "avi", {"bf": "2"}),
    "motion JPEG": ("mjpeg", "avi", {}),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", DAMAGED)
def test_a_truncated_frame_and_those_that_refer_to_it_are_unreadable_and_the_others_show_their_own_pixels(
    tmp_path, kind, seed
):
    codec, suffix, options = DAMAGED[kind]
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    whole = write_video(tmp_path / f"whole.{suffix}", moving(), codec, options=options, pixels=pixels)
    rng = random.Random(seed)
    hit = {number for number in range(60) if rng.random() < 0.08}
    cut = mangled(
        whole,
        tmp_path / f"cut.{suffix}",
        lambda number, content: content[: max(20, len(content) // 2)] if number in hit else content,
    )
    right = {round(frame.seconds, 3): frame.picture for frame in frames_of(recording(str(whole)))}
    frames = frames_of(recording(str(cut)))
    assert 40 <= len(frames) <= 60
    assert any(frame.picture is None for frame in frames)
    for frame in frames:
        if frame.picture is not None:
            wrong = np.abs(frame.picture.astype(int) - right[round(frame.seconds, 3)]).mean(axis=2) > 40
            assert wrong.mean() < 0.002, f"frame {frame.number} shows other pixels"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", ["H.264", "H.264 of a camera", "H.264 in a transport stream", "HEVC"])
def test_frames_that_refer_to_a_missing_one_are_unreadable(tmp_path, kind, seed):
    codec, suffix, options = DAMAGED[kind]
    whole = write_video(tmp_path / f"whole.{suffix}", moving(), codec, options=options)
    rng = random.Random(seed)
    gone = {number for number in range(1, 60) if rng.random() < 0.06}
    cut = mangled(whole, tmp_path / f"cut.{suffix}", lambda number, content: None if number in gone else content)
    right = {round(frame.seconds, 3): frame.picture for frame in frames_of(recording(str(whole)))}
    for frame in frames_of(recording(str(cut))):
        if frame.picture is not None:
            wrong = np.abs(frame.picture.astype(int) - right[round(frame.seconds, 3)]).mean(axis=2) > 40
            assert wrong.mean() < 0.002, f"frame {frame.number} shows other pixels"


def test_numbers_of_frames_are_read_from_any_bytes_without_harm():
    rng = random.Random(1)
    for length in (0, 1, 5, 9, 40, 400):
        for _ in range(50):
            content = rng.randbytes(length)
            for extradata in (content, b"\1" + content, b"\0\0\1\x67" + content):
                followed = H264References(extradata)
                assert followed.is_complete(content) in {True, False}
                assert followed.is_complete(b"\0\0\1\x41" + content) in {True, False}


def test_frames_that_become_larger_than_allowed_are_unreadable(tmp_path):
    parts = [
        write_video(tmp_path / f"{width}.h264", flat([60] * 5, width, height), form="h264")
        for width, height in ((64, 64), (1600, 1600))
    ]
    (tmp_path / "grows.h264").write_bytes(b"".join(part.read_bytes() for part in parts))
    small = CaptureSettings(picture_max_megapixels=1)
    pictures = [frame.picture for frame in frames_of(recording(str(tmp_path / "grows.h264")), settings=small)]
    assert {picture.shape for picture in pictures if picture is not None} == {(64, 64, 3)}
    assert sum(picture is None for picture in pictures) >= 5


def test_a_song_with_a_cover_is_no_video(tmp_path):
    path = write_video(tmp_path / "song.mp4", [], sound_seconds=1, cover=np.full((300, 300, 3), 150, np.uint8))
    with pytest.raises(SourceError, match=r"song\.mp4: it holds no video"):
        opened(path)


def test_of_a_video_with_a_cover_the_video_is_read(tmp_path):
    cover = np.full((300, 300, 3), 150, np.uint8)
    path = write_video(tmp_path / "film.mp4", moving(10), sound_seconds=1, cover=cover)
    assert [picture.shape for picture in pictures_of(path)] == [(240, 320, 3)] * 10


TIMES = {
    "mp4": ("libx264", {"bf": "3"}),
    "avi": ("libx264", {"bf": "3"}),
    "mkv": ("libx264", {"bf": "3"}),
    "ts": ("libx264", {"bf": "3"}),
    "mpg": ("mpeg2video", {"bf": "2"}),
    "flv": ("libx264", {"bf": "3"}),
    "webm": ("libvpx", {"deadline": "realtime"}),
}


@pytest.mark.parametrize("suffix", TIMES)
def test_every_frame_has_its_presentation_time(tmp_path, suffix):
    codec, options = TIMES[suffix]
    path = write_video(tmp_path / f"x.{suffix}", moving(30), codec, options=options)
    assert times_of(path) == pytest.approx([number / RATE for number in range(30)], abs=0.002)


def test_frames_that_come_unevenly_keep_their_times_and_are_counted_right(tmp_path):
    shown = [0, 1, 2, 10, 11, 30]
    path = write_video(tmp_path / "x.mp4", moving(6), times=shown)
    assert times_of(path) == pytest.approx([number / RATE for number in shown], abs=0.001)
    assert opened(path).total == 6


def test_the_frames_that_an_edit_list_leaves_out_are_not_expected(tmp_path):
    path = write_video(tmp_path / "x.mp4", moving(60), shift=-18, options={"bf": "0"})
    source = opened(path)
    frames = frames_of(recording(str(path)))
    assert (len(frames), source.total) == (42, 42)
    assert frames[0].seconds == 0.0


@pytest.mark.parametrize("suffix", ["flv", "mkv", "ts"])
def test_a_file_without_a_count_of_its_frames_states_none(tmp_path, suffix):
    source = opened(write_video(tmp_path / f"x.{suffix}", moving(30)))
    assert source.total is None
    assert source.expected == pytest.approx(30, abs=3)


def test_a_video_that_begins_after_its_sound_has_the_times_of_the_file(tmp_path):
    path = write_video(tmp_path / "late.mp4", moving(20), shift=15, sound_seconds=2)
    assert times_of(path)[:2] == pytest.approx([0.6, 0.64], abs=0.001)


def test_times_increase_over_the_parts_of_a_file_that_was_put_together(tmp_path):
    part = write_video(tmp_path / "part.ts", moving(30)).read_bytes()
    (tmp_path / "twice.ts").write_bytes(part * 2)
    times = times_of(tmp_path / "twice.ts")
    assert all(before < after for before, after in pairwise(times))
    assert times[-1] == pytest.approx(60 / RATE, abs=0.2)


def test_motion_jpeg_with_another_size_than_the_file_states_is_scaled_to_it(tmp_path):
    write_video(tmp_path / "x.avi", flat([80] * 4, 64, 48), "mjpeg", pixels="yuvj420p")
    half = cv2.imencode(".jpg", np.full((24, 64, 3), 160, np.uint8))[1].tobytes()  # a field of an interlaced frame
    path = mangled(tmp_path / "x.avi", tmp_path / "fields.avi", lambda number, content: half if number else content)
    pictures = pictures_of(path)
    assert {picture.shape for picture in pictures} == {(48, 64, 3)}
    assert [round(picture.mean(), -1) for picture in pictures] == [80, 160, 160, 160]


def test_a_jpeg_of_thousands_of_scans_inside_a_video_is_an_unreadable_frame(tmp_path):
    write_video(tmp_path / "x.avi", flat([80] * 3), "mjpeg", pixels="yuvj420p")
    bomb = with_scans(2000, 640, 480)
    path = mangled(tmp_path / "x.avi", tmp_path / "bomb.avi", lambda number, content: bomb if number == 1 else content)
    assert [picture is None for picture in pictures_of(path)] == [False, True, False]


@pytest.mark.long
def test_a_video_with_wide_pixels_has_the_labels_of_the_same_video_with_square_ones(tmp_path):
    gif = str(shared("videos/two-people-head-pose.gif"))
    people = [cv2.cvtColor(frame.picture, cv2.COLOR_BGR2RGB) for frame in frames_of(recording(gif))][::5]
    wide = write_video(
        tmp_path / "wide.mp4",
        [cv2.resize(picture, (720, 576), interpolation=cv2.INTER_CUBIC) for picture in people],
        aspect=Fraction(64, 45),
        options={"crf": "12"},
    )
    square = write_video(
        tmp_path / "square.mp4",
        [cv2.resize(picture, (1024, 576), interpolation=cv2.INTER_CUBIC) for picture in people],
        options={"crf": "12"},
    )
    labels = [labels_of(path) for path in (wide, square)]
    assert len(labels[1]) >= 18
    assert len(labels[0]) == pytest.approx(len(labels[1]), rel=0.1)
    same = sum(labels[0].get(face) == label for face, label in labels[1].items())
    assert same >= 0.9 * len(labels[1])


def labels_of(path):
    """Frame and place of each face -> its emotion."""
    detector = detectors.configured(CaptureSettings())
    engine = load_engine(load(InferenceSettings, batch=1))
    found = {}
    for frame in frames_of(recording(str(path))):
        for face in detector.detect(frame.picture):
            crop = frame_face(frame.picture, face.box, face.landmarks)[np.newaxis]
            place = frame.number, round((face.box[0] + face.box[2] / 2) / 150)
            found[place] = engine.card.labels[int(np.argmax(engine.classify(crop)[0]))]
    return found
