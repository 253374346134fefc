"""The gateway as a process, with a real server and a producer that plays capture and worker."""

import json
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.broker import Clients
from emotii.server import PrivateServer
from tests.stage import LABELS, SAD, GatewayProcess, Producer, clip_frames, free_port, gateway_process, until


@pytest.fixture
def producer(any_server: PrivateServer) -> Iterator[Producer]:
    with Producer(any_server.url) as producer:
        yield producer


@pytest.fixture
def gateway(any_server: PrivateServer, producer: Producer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(any_server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 30, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], what="the first reading")
        yield gateway


def events_of(client: ClientConnection, kind: str, seconds: float = 10) -> Iterator[dict[str, Any]]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = json.loads(client.recv(timeout=deadline - time.monotonic()))
        if isinstance(message, list):
            yield from (event for event in message if event["kind"] == kind)


def pictures_of(url: str, count: int, seconds: float = 20) -> list[np.ndarray]:
    """The first pictures of an MJPEG stream, decoded."""
    found: list[np.ndarray] = []
    with httpx.stream("GET", url, timeout=seconds) as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        buffered = b""
        for chunk in answer.iter_raw():
            buffered += chunk
            while (at := buffered.find(b"\r\n\r\n")) >= 0:
                length = int(buffered[:at].rsplit(b"Content-Length: ", 1)[1].split(b"\r\n")[0])
                if len(buffered) < at + 4 + length:
                    break
                jpeg, buffered = buffered[at + 4 : at + 4 + length], buffered[at + 4 + length :]
                found.append(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
                if len(found) == count:
                    return found
    raise AssertionError(f"the video ended after {len(found)} pictures")


def test_the_old_interface_answers_as_it_did(gateway: GatewayProcess, producer: Producer):
    answer = until(lambda: gateway.get("/emotion").json()["emotion"] and gateway.get("/emotion").json())
    assert answer == {"emotion": "happy", "confidence": 95.0}
    saved = gateway.get("/save_current").json()
    assert saved["status"] == "success"
    (path,) = saved["saved"]
    assert cv2.imread(str(gateway.folder / path)).shape[2] == 3
    producer.faces.shown = {}
    until(lambda: gateway.get("/emotion").json() == {"emotion": None, "confidence": 0.0}, 8)
    assert gateway.get("/save_current").status_code == 404
    producer.faces.shown = {9: ((50.0, 50.0, 80.0, 80.0), SAD)}
    until(lambda: gateway.get("/emotion?source=front").json()["emotion"] == "sad")


def test_a_websocket_client_gets_a_hello_then_arrays_of_events(gateway: GatewayProcess, producer: Producer):
    with connect_socket(gateway.socket_url) as client:
        hello = json.loads(client.recv(timeout=10))
        assert (hello["type"], hello["v"]) == ("hello", 1)
        assert [source["source"] for source in hello["sources"]] == ["front", "uploads"]
        one = next(events_of(client, "reading"))
        assert one["source"] == "front"
        assert set(one["probabilities"]) == set(LABELS)
        assert 0 <= one["age_ms"] < 5000
        stats = next(events_of(client, "stats"))
        assert (stats["workers"], stats["redis"], stats["saving"]["on"]) == (1, True, True)
        producer.state, producer.reason = "OFFLINE", "unplugged"
        state = next(events_of(client, "state"))
        assert (state["source"], state["state"], state["reason"]) == ("front", "OFFLINE", "unplugged")


def test_readings_that_are_stored_twice_are_told_once(gateway: GatewayProcess, producer: Producer):
    producer.repeats = True
    with connect_socket(gateway.socket_url) as client:
        seen = [(e["frame"], e["face"]) for e, _ in zip(events_of(client, "reading"), range(60), strict=False)]
    assert len(seen) == len(set(seen)) == 60


def test_another_site_gets_no_websocket(gateway: GatewayProcess):
    for origin in ("http://evil.example", "null", f"http://localhost:{gateway.port}"):
        with pytest.raises(InvalidStatus) as refused, connect_socket(gateway.socket_url, origin=origin):
            pass
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body)["error"]["code"] == "foreign_origin"
    with connect_socket(gateway.socket_url, origin=gateway.url) as client:
        assert json.loads(client.recv(timeout=10))["type"] == "hello"


def test_a_client_that_stops_reading_is_told_what_it_missed_or_dropped_and_others_go_on(gateway: GatewayProcess):
    port = gateway.port
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    stalled.connect(("127.0.0.1", port))
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    head = b"GET /ws/emotions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" % port
    stalled.sendall(head + key + b"\r\n")
    with connect_socket(gateway.socket_url) as client:
        until(lambda: "websocket_clients 2.0" in gateway.get("/metrics").text, what="both clients")
        # Its buffers take a while to fill; from then on it has seconds.
        deadline = time.monotonic() + 60
        while "websocket_clients 2.0" in gateway.get("/metrics").text:
            assert time.monotonic() < deadline, "the stalled client was not dropped"
            next(events_of(client, "reading"))
        assert next(events_of(client, "reading"))["source"] == "front"
    stalled.close()


def test_a_slow_client_is_told_how_many_events_it_missed(gateway: GatewayProcess, producer: Producer):
    producer.faces.shown = {
        track: ((10.0 * track, 50.0, 40.0, 40.0), SAD) for track in range(40)
    }  # more to send, so that buffers fill sooner
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    narrow.connect(("127.0.0.1", gateway.port))
    with connect_socket(gateway.socket_url, sock=narrow, max_queue=2, compression=None) as client:
        next(events_of(client, "reading"))
        until(lambda: "missed_events_total 0.0" not in gateway.get("/metrics").text, 60, "the first lost event")
        assert next(events_of(client, "missed", 30))["count"] > 0
        assert next(events_of(client, "reading"))["emotion"] == "sad"


def test_the_video_has_boxes_drawn_in_and_is_encoded_once_for_all_viewers(gateway: GatewayProcess, producer: Producer):
    pictures = pictures_of(f"{gateway.url}/video_feed?source=front", 4)
    original = clip_frames(1)[0]
    assert all(picture.shape == original.shape for picture in pictures)
    box = pictures[-1][100, 230:330].astype(int)
    assert np.abs(box - (46, 181, 245)).mean() < 60, "the upper edge of the box of the happy face"

    def made() -> float:
        line = next(
            line
            for line in gateway.get("/metrics").text.splitlines()
            if line.startswith("emotii_gateway_pictures_made ")
        )
        return float(line.split()[1])

    before, frame = made(), producer.frame
    streams = [httpx.stream("GET", f"{gateway.url}/video_feed", timeout=20) for _ in range(4)]
    answers = [stream.__enter__() for stream in streams]
    readers = [answer.iter_raw() for answer in answers]
    for _ in range(30):
        for reader in readers:
            next(reader)
    for stream in streams:
        stream.__exit__(None, None, None)
    assert 0 < made() - before <= producer.frame - frame + 2
    until(lambda: "emotii_gateway_viewers 0.0" in gateway.get("/metrics").text, what="the end of all viewers")
    after = made()
    time.sleep(0.5)
    assert made() == after, "without viewers nothing is made"


def test_without_viewers_and_saving_the_capture_has_no_listener(
    any_server: PrivateServer, producer: Producer, tmp_path: Path
):
    with gateway_process(any_server.url, tmp_path / "faces", save="false") as gateway:
        until(gateway.ready, 30)
        assert producer.last_receivers == 0
        pictures_of(f"{gateway.url}/video_feed", 2)
        until(lambda: producer.last_receivers == 0, what="the end of the subscription")
        assert producer.jpegs > 0
        assert gateway.saved() == []
        saved = httpx.post(f"{gateway.url}/save_current", timeout=20)
        assert saved.status_code == 200, saved.text
        assert len(gateway.saved()) == 1


def test_a_source_that_is_offline_shows_a_picture_that_says_so(gateway: GatewayProcess, producer: Producer):
    producer.state, producer.reason = "OFFLINE", "unplugged"
    until(lambda: gateway.get("/api/v1/sources/front").json()["state"] == "OFFLINE")
    started = time.monotonic()
    one, two, three = pictures_of(f"{gateway.url}/video_feed?source=front", 3)
    assert 1 < time.monotonic() - started < 9
    assert (one == two).all()
    assert (one == three).all()
    assert np.abs(one[5, 5].astype(int) - (36, 30, 28)).max() < 8, "the placeholder's ground"
    assert gateway.get("/video_feed?source=nobody").status_code == 404


def test_a_capture_that_died_is_offline_within_seconds(gateway: GatewayProcess, producer: Producer):
    producer.stop()
    until(lambda: gateway.get("/api/v1/sources/front").json()["state"] == "OFFLINE", 20)
    ready = gateway.get("/readyz")
    assert ready.status_code == 503
    assert "a worker" in ready.json()["error"]["message"]
    assert "a capture" in ready.json()["error"]["message"]
    assert gateway.get("/healthz").status_code == 200


def test_faces_are_saved_once_a_second_a_track_in_colour(gateway: GatewayProcess):
    until(lambda: len(gateway.saved()) >= 6, 20, "six faces")
    emotions = {path.parent.name for path in gateway.saved()}
    assert emotions == {"happy", "sad"}
    times = [path.name.split("_", 2)[2] for path in gateway.saved() if path.parent.name == "happy"]
    assert len(times) <= 6
    for path in gateway.saved():
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape[0] == picture.shape[1] == (210 if path.parent.name == "happy" else 105)
        assert np.abs(picture[:, :, 0].astype(int) - picture[:, :, 2]).mean() > 3, "in colour"
    listed = gateway.get("/api/v1/faces?emotion=happy").json()
    assert listed["faces"][0]["confidence"] == 95.0
    assert gateway.get(listed["faces"][0]["url"]).headers["content-type"] == "image/jpeg"


def test_of_two_gateways_one_saves_and_the_other_takes_over(
    any_server: PrivateServer, producer: Producer, tmp_path: Path
):
    with (
        gateway_process(any_server.url, tmp_path / "one") as one,
        gateway_process(any_server.url, tmp_path / "two") as two,
    ):
        until(lambda: one.ready() and two.ready(), 30)
        until(lambda: len(one.saved()) + len(two.saved()) >= 6, 30)
        saving, other = (one, two) if one.saved() else (two, one)
        assert other.saved() == []
        saving.process.kill()
        until(other.saved, 30, "the other gateway's first face")


def test_a_picture_is_answered_with_every_face(gateway: GatewayProcess):
    jpeg = cv2.imencode(".jpg", clip_frames(1)[0])[1].tobytes()
    url = f"{gateway.url}/api/v1/predict"
    by_form = httpx.post(url, files={"picture": ("a.jpg", jpeg, "image/jpeg")}, timeout=20)
    by_body = httpx.post(url, content=jpeg, headers={"content-type": "image/jpeg"}, timeout=20)
    for answer in (by_form, by_body):
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert [face["emotion"] for face in body["faces"]] == ["happy", "happy"]
        assert set(body["faces"][0]["probabilities"]) == set(LABELS)
        assert (body["width"], body["height"], body["model"]) == (640, 480, "test@1.0.0")
    black = cv2.imencode(".png", np.zeros((50, 60, 3), np.uint8))[1].tobytes()
    none = httpx.post(url, files={"picture": black}, timeout=20).json()
    assert (none["faces"], none["width"], none["height"], none["model"]) == ([], 60, 50, None)
    broken = httpx.post(url, files={"picture": b"no picture"}, timeout=20)
    assert broken.status_code == 422
    assert broken.json()["error"] == {"code": "unreadable_picture", "message": "no picture that can be read"}


def test_a_picture_that_nobody_looks_at_times_out(any_server: PrivateServer, any_clients: Clients, tmp_path: Path):
    with (
        Producer(any_server.url, answers_uploads=False),
        gateway_process(any_server.url, tmp_path / "faces", predict_timeout="0.5") as gateway,
    ):
        until(gateway.ready, 30)
        url = f"{gateway.url}/api/v1/predict"
        missing = httpx.post(url, files={"picture": b"x"}, timeout=20)
        assert (missing.status_code, missing.json()["error"]["code"]) == (503, "no_capture")
        with Producer(any_server.url, "other") as answering:
            until(lambda: gateway.get("/api/v1/sources/uploads").status_code == 200)
            answering._answer_uploads = lambda _now: None  # alive, and too slow
            late = httpx.post(url, files={"picture": b"x"}, timeout=20)
            assert (late.status_code, late.json()["error"]["code"]) == (504, "timeout")


def test_malformed_entries_are_passed_over(gateway: GatewayProcess, any_clients: Clients):
    client = any_clients.commands
    client.xadd(keys.results("front"), {b"v": b"1", b"kind": b"reading"})
    client.xadd(keys.results("front"), {b"v": b"9"})
    client.hset(keys.SOURCES, "junk", b"{")
    client.publish(keys.frames("front"), b"no header")
    with connect_socket(gateway.socket_url) as client_socket:
        assert next(events_of(client_socket, "reading"))["emotion"]
    until(lambda: "malformed result passed over" in gateway.log.read_text())
    until(lambda: "malformed status passed over" in gateway.log.read_text())
    assert gateway.process.poll() is None
    assert [source["name"] for source in gateway.get("/api/v1/sources").json()["sources"]] == ["front", "uploads"]


def test_the_gateway_outlives_a_restart_of_redis(gateway: GatewayProcess, any_server: PrivateServer):
    with connect_socket(gateway.socket_url) as client:
        next(events_of(client, "reading"))
        any_server.stop()
        until(lambda: not next(events_of(client, "stats"))["redis"], 20, "news of the outage")
        assert gateway.get("/").status_code == 200
        assert gateway.get("/readyz").status_code == 503
        assert httpx.post(f"{gateway.url}/api/v1/predict", files={"picture": b"x"}, timeout=20).status_code == 503
        Path(any_server.url.removeprefix("unix://")).parent.mkdir(exist_ok=True)
        any_server.start()
        until(lambda: next(events_of(client, "stats"))["redis"], 20, "news of its end")
        assert next(events_of(client, "reading", 20))["emotion"]
    log = gateway.log.read_text()
    assert log.count("redis cannot serve") == 1
    assert "redis serves again" in log
    assert "Traceback" not in log


def test_the_gateway_waits_for_a_redis_that_is_not_there_yet(tmp_path: Path, server: PrivateServer):
    server.stop()
    with gateway_process(server.url, tmp_path / "faces") as gateway:
        until(lambda: "listens" in gateway.log.read_text(), 30)
        assert gateway.get("/").status_code == 200
        assert gateway.get("/emotion").json() == {"emotion": None, "confidence": 0.0}
        assert gateway.get("/readyz").json()["error"]["message"] == "missing: redis"
        Path(server.url.removeprefix("unix://")).parent.mkdir(exist_ok=True)
        server.start()
        with Producer(server.url):
            until(gateway.ready, 20)
            until(lambda: gateway.get("/emotion").json()["emotion"] == "happy")


def drain(client: ClientConnection) -> None:
    while True:
        client.recv(timeout=5)


def stalled_viewer(port: int) -> socket.socket:
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    viewer.connect(("127.0.0.1", port))
    viewer.sendall(b"GET /video_feed HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
    return viewer


def test_a_viewer_that_stops_reading_is_dropped(gateway: GatewayProcess):
    viewer = stalled_viewer(gateway.port)
    until(lambda: "gateway_viewers 1.0" in gateway.get("/metrics").text)
    until(lambda: "gateway_viewers 0.0" in gateway.get("/metrics").text, 30, "the end of the stalled viewer")
    viewer.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stalled_viewer_does_not_hold_up_the_end(gateway: GatewayProcess, number: signal.Signals):
    viewer = stalled_viewer(gateway.port)
    with connect_socket(gateway.socket_url) as client:
        until(lambda: "gateway_viewers 1.0" in gateway.get("/metrics").text)
        next(events_of(client, "reading"))
        gateway.process.send_signal(number)
        assert gateway.process.wait(15) == 0
        with pytest.raises(ConnectionClosed):
            drain(client)
    viewer.close()
    assert "Traceback" not in gateway.log.read_text()


def test_viewers_that_vanish_leave_nothing_behind(gateway: GatewayProcess):
    files = Path(f"/proc/{gateway.process.pid}/fd")
    if not files.exists():
        pytest.skip("no /proc here")
    pictures_of(f"{gateway.url}/video_feed", 1)
    until(lambda: "gateway_viewers 0.0" in gateway.get("/metrics").text)
    before = len(list(files.iterdir()))
    for _ in range(30):
        viewer = stalled_viewer(gateway.port)
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        viewer.close()
        with connect_socket(gateway.socket_url):
            pass
    until(lambda: "gateway_viewers 0.0" in gateway.get("/metrics").text, 30)
    until(lambda: len(list(files.iterdir())) <= before + 2, 20, "the descriptors of before")


def test_a_disk_that_is_full_is_507_and_the_rest_goes_on(server: PrivateServer, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with (
        Producer(server.url),
        gateway_process(server.url, tmp_path / "faces", saved_faces=str(tmp_path / "file" / "faces")) as gateway,
    ):
        until(gateway.ready, 30)
        until(lambda: gateway.get("/emotion").json()["emotion"])
        answer = httpx.post(f"{gateway.url}/save_current", timeout=20)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
        with connect_socket(gateway.socket_url) as client:
            until(lambda: next(events_of(client, "stats"))["saving"]["paused"], 20, "the pause of saving")
            assert next(events_of(client, "reading"))["emotion"]
        assert gateway.log.read_text().count("automatic saving pauses") == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"EMOTII_PORT": "TAKEN"}, "EMOTII_PORT="),
        ({"EMOTII_HOST": "203.0.113.7"}, "EMOTII_HOST=203.0.113.7"),
        ({"EMOTII_SMOOTHING": "soon"}, "EMOTII_SMOOTHING=soon"),
        ({"EMOTII_REDIS_URL": "http://localhost"}, "EMOTII_REDIS_URL"),
    ],
)
def test_what_cannot_be_used_is_one_readable_line(settings: dict[str, str], named: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"EMOTII_PORT": str(free_port())} | settings
        environment = {name: port if value == "TAKEN" else value for name, value in environment.items()}
        ended = subprocess.run(
            [sys.executable, "-m", "api_gateway"],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("emotii: ")
    assert named in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
