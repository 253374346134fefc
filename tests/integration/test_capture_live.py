import os
import shutil
import time

import cv2
import numpy as np
import pytest

from capture_service.sources.spec import DEMO_CLIP, SourceSpec, parse_list
from contract import keys
from contract.messages import Crop, FrameDone, FrameHeader
from contract.redis.broker import connect
from emotii.local.redis_server import PrivateServer
from tests.cameras import MULTIPART, part, picture, raw_camera
from tests.capture import MjpegServer, capturing, entries, settings, status, until
from tests.rtsp_server import rtsp_server

DEMO = parse_list("demo=demo")[0]


@pytest.fixture
def camera():
    camera = MjpegServer()
    camera.start()
    yield camera
    camera.die()


def of(camera):
    return SourceSpec("cam", "stream", f"http://user:hunter2@127.0.0.1:{camera.port}/video")


def state(client, source="cam"):
    found = status(client, source)
    return found and found.state


def test_a_frame_becomes_its_crops_and_frame_done_with_a_deadline(any_server, any_clients):
    client = any_clients.commands
    with capturing(DEMO, settings(any_server, detector="blazeface"), order=3):
        until(lambda: client.xlen(keys.crops("demo")) > 10)
        found, registered = entries(client, "demo"), status(client, "demo")

    ends = [entry for entry in found if isinstance(entry, FrameDone)]
    for end in ends:
        assert len([entry for entry in found if isinstance(entry, Crop) and entry.id == end.id]) == end.faces
    assert [end.previous for end in ends] == [None, *(end.id.frame for end in ends[:-1])]
    crop = next(entry for entry in found if isinstance(entry, Crop))
    seconds, _ = client.time()
    assert crop.deadline_ms - crop.captured_ms == 450
    assert abs(crop.captured_ms / 1000 - seconds) < 60
    assert (registered.kind, registered.order) == ("camera", 3)
    assert (registered.state, registered.epoch) == ("ONLINE", crop.id.epoch)


def test_a_source_whose_capture_was_stopped_reports_it_until_another_process_captures_it(server, clients):
    client = clients.commands
    with capturing(DEMO, settings(server)):
        until(lambda: state(client, "demo") == "ONLINE")
    reported = status(client, "demo")
    assert (reported.state, reported.reason, reported.fps) == ("OFFLINE", "stopped", 0.0)
    with capturing(DEMO, settings(server)):
        until(lambda: state(client, "demo") == "ONLINE")


def test_with_a_backlog_frames_are_skipped_and_counted(server, clients):
    client = clients.commands
    with capturing(DEMO, settings(server, backlog_limit=5)):
        until(lambda: (now := status(client, "demo")) and now.skipped > 5)
        assert client.xlen(keys.crops("demo")) <= 5 + 4
        until(lambda: status(client, "demo").warning.startswith("inference is too slow: "), 60)
        client.xtrim(keys.crops("demo"), maxlen=0, approximate=False)
        until(lambda: client.xlen(keys.crops("demo")) > 0)


def test_jpegs_are_published_only_while_there_is_a_subscriber(server, clients):
    with capturing(DEMO, settings(server, view_width=320)), clients.blocking.pubsub() as listener:
        listener.subscribe(keys.frames("demo"))
        shown = []

        def has_come():
            message = listener.get_message(ignore_subscribe_messages=True, timeout=1)
            shown.extend([FrameHeader.decode(message["data"])] if message else [])
            return shown and shown[-1][1]

        until(has_come)
        assert shown[0][1] == b""  # the channel had no subscriber at the frame before
        header, jpeg = shown[-1]
        assert (header.source, header.width, header.height) == ("demo", 640, 480)
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)


def test_a_file_that_does_not_loop_ends_offline(server, clients, tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "two.png").write_bytes(b"broken")
    spec = parse_list(f"pics={tmp_path}?fps=20")[0]
    with capturing(spec, settings(server)):
        reported = until(lambda: (found := status(clients.commands, "pics")) and found.reason == "ended" and found)
    assert (reported.state, reported.frames, reported.skipped) == ("OFFLINE", 1, 1)
    assert [entry.id.frame for entry in entries(clients.commands, "pics")] == [0]


def test_a_camera_that_dies_and_comes_back_is_online_again_with_a_new_epoch(server, clients, camera):
    client = clients.commands
    with capturing(of(camera), settings(server)):
        until(lambda: state(client) == "ONLINE")
        first = status(client, "cam").epoch
        camera.die()
        until(lambda: state(client) in {"RECONNECTING", "OFFLINE"}, seconds=15)
        reported = until(lambda: (found := status(client, "cam")) and found.state == "OFFLINE" and found)
        assert "hunter2" not in reported.model_dump_json()
        assert "cannot open http://127.0.0.1" in reported.reason
        camera.start()
        until(lambda: state(client) == "ONLINE")
        assert status(client, "cam").epoch != first


def test_a_camera_that_falls_silent_is_not_shown_as_live(server, clients, camera):
    client = clients.commands
    with capturing(of(camera), settings(server)):
        until(lambda: state(client) == "ONLINE")
        camera.silent.set()
        until(lambda: state(client) != "ONLINE", seconds=15)
        silent_at = status(client, "cam").frames
        camera.silent.clear()
        until(lambda: state(client) == "ONLINE")
        assert status(client, "cam").frames >= silent_at


def test_a_lost_camera_is_offline_soon_even_if_opening_it_again_takes_long(server, clients, camera):
    client = clients.commands
    with capturing(of(camera), settings(server, open_timeout="60s")):
        until(lambda: state(client) == "ONLINE")
        camera.silent.set()  # from now on it accepts, and says nothing
        until(lambda: state(client) == "OFFLINE", seconds=15)
        # The time-out of reading or that of the capture, whichever comes first.
        assert status(client, "cam").reason.endswith(("no frame for 1 s", "the camera does not respond in time"))
        camera.silent.clear()
        until(lambda: state(client) == "ONLINE")


def test_a_source_with_a_low_frame_rate_is_not_treated_as_broken(server, clients, tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((40, 40, 3), np.uint8))
    spec = parse_list(f"pics={tmp_path}?fps=0.5&loop=1")[0]
    with capturing(spec, settings(server, stall_timeout="500ms")):
        reported = until(lambda: (found := status(clients.commands, "pics")) and found.frames >= 3 and found)
    assert reported.epoch == status(clients.commands, "pics").epoch
    assert [entry.id.frame for entry in entries(clients.commands, "pics")][:3] == [0, 1, 2]


@pytest.mark.parametrize("supported", [pytest.param("tcp", marks=pytest.mark.long), "udp"])
def test_an_rtsp_camera_that_dies_is_offline_and_online_again_when_it_is_back(server, clients, supported):
    client = clients.commands
    with rtsp_server(transports=(supported,)) as camera:
        spec = SourceSpec("cam", "stream", f"rtsp://us:hunter2@127.0.0.1:{camera.port}/live", added=True)
        with capturing(spec, settings(server, camera_networks="127.0.0.1/32")):
            first = until(lambda: (found := status(client, "cam")) and found.state == "ONLINE" and found)
            camera.stop()
            lost = until(lambda: (found := status(client, "cam")).state == "OFFLINE" and found)
            assert lost.reason.endswith("the host refuses the connection: is the port right?")
            assert "hunter2" not in lost.model_dump_json()
            camera.start()
            until(lambda: state(client) == "ONLINE" and status(client, "cam").epoch != first.epoch)


def test_a_camera_that_answers_with_single_pictures_is_one_epoch_at_the_configured_rate(server, clients):
    client, began = clients.commands, time.monotonic()
    answer = [b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n" + picture()]
    with raw_camera(answer) as camera:
        spec = SourceSpec("snap", "stream", f"http://127.0.0.1:{camera.port}/jpg", fps=5)
        with capturing(spec, settings(server)):
            reported = until(lambda: (found := status(client, "snap")) and found.frames >= 15 and found)
        assert len(camera.requests) <= 5 * (time.monotonic() - began) + 2
    assert (reported.state, reported.skipped) == ("ONLINE", 0)
    assert {entry.id.epoch for entry in entries(client, "snap")} == {reported.epoch}


def test_a_camera_that_sends_slower_than_the_stall_timeout_is_read_if_its_rate_is_configured(server, clients):
    client = clients.commands
    with raw_camera([MULTIPART, *[part(picture())] * 20], pause=0.8) as camera:
        spec = SourceSpec("slow", "stream", f"http://127.0.0.1:{camera.port}/video", fps=1)
        with capturing(spec, settings(server, stall_timeout="300ms")):
            reported = until(lambda: (found := status(client, "slow")) and found.frames >= 4 and found)
    assert (reported.state, {entry.id.epoch for entry in entries(client, "slow")}) == ("ONLINE", {reported.epoch})
    assert 0.4 < reported.fps < 2.1


def test_a_camera_that_dies_young_is_opened_less_and_less_often(server, clients):
    with raw_camera([MULTIPART, part(picture())]) as camera:
        spec = SourceSpec("young", "stream", f"http://127.0.0.1:{camera.port}/video")
        with capturing(spec, settings(server, reconnect_first="50ms", reconnect_longest="30s")):
            until(lambda: len(camera.requests) > 1)
            time.sleep(3)
        assert len(camera.requests) < 15  # one every 0.2 s, if each first frame began the pauses anew


def test_a_camera_whose_frames_are_all_damaged_says_so(server, clients):
    with raw_camera([MULTIPART, *[part(picture()[:2000])] * 200]) as camera:
        spec = SourceSpec("cut", "stream", f"http://127.0.0.1:{camera.port}/video")
        with capturing(spec, settings(server, stall_timeout="300ms", open_timeout="300ms")):
            reported = until(lambda: (found := status(clients.commands, "cut")) and found.state == "OFFLINE" and found)
    assert reported.reason == "no readable frame for 0.3 s (the frame could not be decoded)"


def test_a_camera_that_was_never_there_is_offline_with_the_reason(server, clients):
    with capturing(SourceSpec("cam", "webcam", "63"), settings(server)):
        reported = until(lambda: (found := status(clients.commands, "cam")) and found.state == "OFFLINE" and found)
    assert reported.reason == "cannot open webcam 63: there is no /dev/video63"


def test_one_of_two_captures_of_a_source_waits_and_takes_over(server, clients):
    client = clients.commands
    with capturing(DEMO, settings(server)) as stop:
        until(lambda: state(client, "demo") == "ONLINE")
        first = status(client, "demo").epoch
        with capturing(DEMO, settings(server)):
            until(lambda: (now := status(client, "demo")) and now.frames > 10)
            assert {entry.id.epoch for entry in entries(client, "demo")} == {first}
            stop.set()
            until(lambda: (now := status(client, "demo")) and now.epoch != first and now.state == "ONLINE")


def test_capture_survives_an_unreachable_redis_at_the_start_and_in_the_middle(tmp_path, capsys):
    server = PrivateServer(tmp_path / "redis")
    server.start()
    url_settings = settings(server)
    clients = connect(server.url, "test")
    socket = server._socket
    hidden = socket.with_name("hidden")
    socket.rename(hidden)
    with capturing(DEMO, url_settings):
        time.sleep(0.5)
        hidden.rename(socket)
        until(lambda: state(clients.commands, "demo") == "ONLINE")
        before = until(lambda: (now := status(clients.commands, "demo")) and now.frames and now)
        server._process.kill()
        server._process.wait()
        time.sleep(1)
        server.start()
        until(lambda: (now := status(clients.commands, "demo")) and now.frames > before.frames + 5)
        after = status(clients.commands, "demo")
        assert after.epoch == before.epoch  # the camera knew nothing of it
        assert after.skipped > before.skipped
    clients.close()
    server.stop()
    assert capsys.readouterr().out.count("redis unavailable") == 2


def test_a_file_whose_name_has_any_bytes_is_captured_under_a_printable_name(server, clients, tmp_path):
    clip = tmp_path / os.fsdecode(b"clip\xff.mp4")
    shutil.copy(DEMO_CLIP, clip)
    folder = tmp_path / os.fsdecode(b"folder\xfe")
    folder.mkdir()
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "one.png").rename(folder / os.fsdecode(b"one\xfd.png"))
    for name, path, shown in (("clip", clip, r"clip\xff.mp4"), ("pics", folder, r"folder\xfe")):
        with capturing(parse_list(f"{name}={path}?loop=1")[0], settings(server)):
            reported = until(lambda name=name: (found := status(clients.commands, name)) and found.frames and found)
        assert reported.address == f"{tmp_path}/{shown}"


def test_a_recording_loops_with_ever_higher_frame_numbers(server, clients, tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((40, 40, 3), np.uint8))
    with capturing(parse_list(f"pics={tmp_path}?fps=50&loop=1")[0], settings(server)):
        until(lambda: clients.commands.xlen(keys.crops("pics")) > 5)
    numbers = [entry.id.frame for entry in entries(clients.commands, "pics")]
    assert numbers == sorted(set(numbers))
