"""A frame that a file holds in part shows nothing of another frame, in formats whose decoders do not notice."""

import pytest

from capture_service.sources.spec import recording
from tests.unit.capture_service.sources.test_sources import frames_of
from tests.videos import flat, moving, write_video

DV_FRAME = 144_000


def brightnesses(path):
    """Of the frames; None for an unreadable one."""
    return [None if frame.picture is None else round(frame.picture.mean()) for frame in frames_of(recording(str(path)))]


@pytest.fixture
def dv(tmp_path):
    return write_video(tmp_path / "video.dv", flat(range(40, 140, 20), 720, 576), "dvvideo")


def test_the_rest_of_the_last_frame_of_a_cut_dv_file_is_not_the_frame_before(dv):
    assert brightnesses(dv) == pytest.approx(list(range(40, 140, 20)), abs=4)
    dv.write_bytes(dv.read_bytes()[: 2 * DV_FRAME + DV_FRAME // 2])
    *whole, last = brightnesses(dv)
    assert whole == pytest.approx([40, 60], abs=4)
    assert last is None


@pytest.mark.parametrize("at", [DV_FRAME + 30_000, 2 * DV_FRAME - 3_000])
def test_a_dv_frame_that_holds_parts_of_two_is_unreadable(dv, at):
    content = dv.read_bytes()
    dv.write_bytes(content[:at] + content[at + 1_000 :])
    first, *displaced = brightnesses(dv)
    assert first == pytest.approx(40, abs=4)
    assert displaced == [None] * 4


def test_the_rest_of_a_cut_gif_frame_is_not_the_frame_before(tmp_path):
    path = write_video(tmp_path / "video.gif", moving(5), "gif", pixels="rgb8")
    assert None not in brightnesses(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 7 // 10])
    frames = brightnesses(path)
    assert 2 <= len(frames) <= 4
    assert frames[-1] is None
    assert None not in frames[:-1]
