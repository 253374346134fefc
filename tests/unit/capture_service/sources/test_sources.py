import itertools
import math
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import cv2
import numpy as np
import pytest

from capture_service.frame import Frame
from capture_service.live.feed import Feed
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded, source_maker
from capture_service.sources.spec import DEMO_CLIP, SourceSpec, parse_list, recording
from contract.errors import SourceError
from tests.conftest import shared

SETTINGS = CaptureSettings()


def frames_of(spec, most=1000, settings=SETTINGS):
    source = make_recorded(spec, settings)
    source.open()
    found = []
    while len(found) < most and (frame := source.read()) is not None:
        found.append(frame)
    source.close()
    return found


def first_frame(source):
    source.open()
    return source.read()


def until(true, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


class FakeSource:
    """Numbered black frames, as fast as they are read or on request."""

    polled = False

    def __init__(self, pace=None, count=math.inf, gate=None, breaks_at=math.inf):
        self.pace, self.count, self.gate, self.breaks_at = pace, count, gate, breaks_at
        self.number, self.is_open = 0, False

    def open(self):
        self.is_open = True

    def read(self):
        if self.gate is not None:
            self.gate.wait(10)
        if not self.skip():
            return None
        return Frame(self.number - 1, time.monotonic(), np.zeros((2, 2, 3), np.uint8))

    def skip(self):
        if self.number >= self.breaks_at:
            raise SourceError("unplugged")
        if self.number >= self.count:
            return False
        self.number += 1
        return True

    def close(self):
        self.is_open = False


def test_a_gif_gives_every_frame_with_its_time():
    frames = frames_of(recording(str(shared("videos/two-people-head-pose.gif"))))
    assert [frame.number for frame in frames] == list(range(56))
    assert {frame.picture.shape for frame in frames} == {(270, 480, 3)}
    assert frames[0].seconds == 0.0
    assert all(before.seconds < after.seconds for before, after in itertools.pairwise(frames))
    assert frames[-1].seconds == pytest.approx(4.58)


def test_frame_numbers_and_times_continue_over_the_passes():
    frames = frames_of(recording("demo", passes=3))
    assert [frame.number for frame in frames] == list(range(360))
    assert all(before.seconds < after.seconds for before, after in itertools.pairwise(frames))
    assert frames[-1].seconds == pytest.approx(24 - 1 / 15, abs=0.05)
    assert (frames[0].picture == frames[120].picture).all()


def test_a_loop_does_not_end():
    assert len(frames_of(parse_list("demo=demo")[0], most=250)) == 250


def test_a_file_without_a_frame_is_refused_for_any_number_of_passes(tmp_path):
    path = tmp_path / "none.gif"
    path.write_bytes(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    source = make_recorded(SourceSpec("x", "file", str(path), loop=True), SETTINGS)
    with pytest.raises(SourceError, match=r"cannot open|holds no frame"):
        first_frame(source)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_video_ends_early_or_is_refused(tmp_path, share):
    whole = shared("videos/classroom.gif").read_bytes()
    path = tmp_path / "cut.gif"
    path.write_bytes(whole[: int(len(whole) * share)])
    try:
        frames = frames_of(recording(str(path)))
    except SourceError:
        frames = []
    assert len(frames) <= 45 * share + 1


def damaged_clip(folder, damaged, frames=20, cut_at=None):
    """An MJPEG AVI whose frames `damaged` are zeros, and that ends before frame `cut_at`; frame n is n * 10 bright."""
    path = folder / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), number * 10, np.uint8))
    writer.release()
    content = bytearray(path.read_bytes())
    at = content.index(b"movi") + 4
    for number in range(frames):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if number in damaged:
            content[at + 8 : at + 8 + size] = bytes(size)
        if number == cut_at:
            del content[at:]
            break
        at += 8 + size + size % 2
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("damaged", [(5, 6, 7, 8), (0, 1), (3, 10)])
def test_damaged_frames_are_flagged_and_keep_their_places_and_the_others_their_pixels(tmp_path, damaged):
    frames = frames_of(recording(damaged_clip(tmp_path, damaged)))
    assert [frame.number for frame in frames] == list(range(20))
    assert tuple(frame.number for frame in frames if frame.picture is None) == damaged
    assert all(bool(frame.note) == (frame.picture is None) for frame in frames)
    assert all(before.seconds < after.seconds for before, after in itertools.pairwise(frames))
    for frame in frames:
        if frame.picture is not None:
            assert frame.picture.mean() == pytest.approx(frame.number * 10, abs=3)
        if frame.number > 0:
            assert frame.seconds == pytest.approx(frame.number / 10, abs=0.06)


def test_a_hole_in_a_file_loses_the_frames_in_it_and_those_that_refer_to_them(tmp_path):
    content = bytearray(DEMO_CLIP.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 6000] = bytes(6000)
    (tmp_path / "hole.mp4").write_bytes(content)
    frames = frames_of(recording(str(tmp_path / "hole.mp4"), passes=2))
    whole = frames_of(recording("demo"))
    assert len(frames) == 240
    assert 2 <= sum(frame.picture is None for frame in frames) < 30
    for frame in frames:
        assert frame.picture is None or (frame.picture == whole[frame.number % 120].picture).all()


def test_a_looping_file_does_not_begin_again_at_damage(tmp_path):
    spec = SourceSpec("x", "file", damaged_clip(tmp_path, (5, 6)), loop=True)
    frames = frames_of(spec, most=60)
    assert [frame.number % 20 for frame in frames if frame.picture is None] == [5, 6] * 3


def test_damaged_frames_are_skipped_one_by_one(tmp_path):
    source = make_recorded(recording(damaged_clip(tmp_path, (1, 2))), SETTINGS)
    source.open()
    assert [source.skip() for _ in range(21)] == [True] * 20 + [False]
    source.close()


def test_a_truncated_recording_ends_early_and_still_reports_its_stated_number_of_frames(tmp_path):
    source = make_recorded(recording(damaged_clip(tmp_path, (), cut_at=10), passes=2), SETTINGS)
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    assert all(frame.picture is not None for frame in frames)
    assert (len(frames), source.total) == (20, 40)


def test_a_file_that_names_other_files_does_not_open_them(tmp_path):
    for name, text in {
        "list.m3u8": "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        "list.ffconcat": "ffconcat version 1.0\nfile 'http://127.0.0.1:9/x.mp4'\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(SourceError):
            frames_of(recording(str(tmp_path / name)))


def test_a_folder_shows_its_pictures_by_name_and_flags_broken_ones(tmp_path):
    for number in (2, 0):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((4, 6, 3), 100 * number, np.uint8))
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")

    first, broken, last = frames_of(recording(str(tmp_path)))

    assert (first.number, int(first.picture.max())) == (0, 0)
    assert (broken.number, broken.picture, "1.jpg" in broken.note) == (1, None, True)
    assert (last.number, int(last.picture.max()), last.seconds) == (2, 200, 1.0)


def test_a_folder_that_has_become_empty_cannot_be_opened(tmp_path):
    with pytest.raises(SourceError, match="no pictures"):
        make_recorded(SourceSpec("x", "pictures", str(tmp_path)), SETTINGS).open()


@pytest.mark.parametrize("address", ["63", "http://127.0.0.1:9/video", "rtsp://127.0.0.1:9/x"])
def test_a_camera_that_is_not_there_cannot_be_opened(address):
    source = source_maker(parse_list(f"cam={address}")[0], SETTINGS)()
    with pytest.raises(SourceError, match="cannot open"):
        source.open()


def test_a_slow_reader_gets_the_newest_frame_and_the_count_of_the_others():
    gate, source = Event(), FakeSource(count=100)
    feed = Feed(source)
    feed.start()
    until(lambda: feed.ended)
    gate.set()
    assert feed.newest(5).number == 99
    assert feed.drain_skipped() == 99
    assert feed.drain_skipped() == 0
    assert feed.newest(0) is None


def test_frames_of_a_recording_are_returned_at_its_frame_rate():
    source = FakeSource(pace=50, count=25)
    feed = Feed(source)
    began = time.monotonic()
    feed.start()
    shown = []
    while not feed.ended:
        if frame := feed.newest(0.05):
            shown.append(frame)
    assert time.monotonic() - began >= 24 / 50
    assert all(frame.seconds >= began + frame.number / 50 for frame in shown)


def test_a_recording_that_falls_behind_skips_frames():
    class Slow(FakeSource):
        def read(self):
            time.sleep(0.03)
            return super().read()

    source = Slow(pace=100, count=100)
    feed = Feed(source)
    feed.start()
    shown = skipped = 0
    while not feed.ended:
        shown += feed.newest(0.02) is not None
        skipped += feed.drain_skipped()
    shown += feed.newest(0) is not None
    skipped += feed.drain_skipped()
    assert shown + skipped == 100
    assert skipped > 30


def test_a_camera_is_read_at_most_at_the_configured_rate():
    feed = Feed(FakeSource(count=300_000), most_fps=20)
    began = time.monotonic()
    feed.start()
    shown = 0
    while time.monotonic() - began < 0.5 and not feed.ended:
        shown += feed.newest(0.02) is not None
    seconds = time.monotonic() - began
    feed.stop()
    assert shown <= 20 * seconds + 2
    assert feed.drain_skipped() > 0


def test_a_source_that_fails_reports_the_reason_after_its_last_frame():
    feed = Feed(FakeSource(breaks_at=3))
    feed.start()
    until(lambda: feed.broken)
    assert feed.broken == "unplugged"
    assert feed.newest(1).number == 2


def test_a_feed_that_is_stopped_closes_its_source():
    source = FakeSource(pace=1)
    feed = Feed(source)
    feed.start()
    assert feed.newest(5) is not None
    feed.stop()
    assert not source.is_open
    assert not feed.ended


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\n%s\n#EXT-X-ENDLIST\n"


@pytest.fixture
def web():
    """A web server with the responses that a test sets: path -> status, headers, body."""
    answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", answers
        server.shutdown()


def test_a_stream_that_refers_to_a_local_file_is_not_followed(web, tmp_path):
    url, answers = web
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    clip = f"file://{DEMO_CLIP}".encode()
    answers["/list.m3u8"] = (200, {"Content-Type": "application/vnd.apple.mpegurl"}, PLAYLIST % clip)
    answers["/moved"] = (302, {"Location": clip.decode()}, b"")
    answers["/clip.avi"] = (200, {}, (tmp_path / "clip.avi").read_bytes())

    def opened(path):
        return first_frame(source_maker(parse_list(f"cam={url}{path}")[0], SETTINGS)())

    assert opened("/clip.avi").picture.shape == (48, 64, 3)  # the server is in order
    for path in ("/list.m3u8", "/moved", "/missing"):
        with pytest.raises(SourceError):
            opened(path)
