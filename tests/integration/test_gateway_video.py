"""The video of a real gateway, with viewers good and bad."""

import json
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, Producer, clip_frames, gateway_process, until
from tests.viewer import pictures_of, stalled_viewer


def decode(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)


def test_the_video_contains_boxes_and_is_encoded_once_for_all_viewers(gateway: GatewayProcess, producer: Producer):
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
    after, frame = made(), producer.frame
    until(lambda: producer.frame >= frame + 8, what="more frames")
    assert made() == after, "without viewers nothing is made of them"


def test_a_still_is_the_newest_frame_with_its_readings(gateway: GatewayProcess, producer: Producer):
    answer = gateway.get("/api/v1/sources/front/frame.jpg?width=400")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert decode(answer).shape == (240, 320, 3)
    shown = json.loads(answer.headers["x-frame"])
    assert (shown["source"], shown["width"], shown["height"]) == ("front", 640, 480)
    assert {face["emotion"] for face in shown["faces"]} == {"happy", "sad"}
    producer.state, producer.reason = "OFFLINE", "unplugged"
    until(lambda: gateway.get("/api/v1/sources/front/frame.jpg").status_code == 503)
    assert "unplugged" in gateway.get("/api/v1/sources/front/frame.jpg").json()["error"]["message"]


def test_no_request_can_show_what_the_settings_hide(gateway: GatewayProcess):
    def spread(path: str) -> float:
        return float(decode(gateway.get(path))[110:230, 230:330].std(axis=(0, 1)).max())

    still = "/api/v1/sources/front/frame.jpg?labels=none"
    assert spread(still) > 20
    assert spread(f"{still}&blur=mask") < 4
    changed = httpx.patch(f"{gateway.url}/api/v1/settings", json={"blur": "mask"}, timeout=20)
    assert changed.status_code == 200, changed.text
    assert spread(still) < 4
    assert spread(f"{still}&blur=off") < 4
    (picture,) = pictures_of(f"{gateway.url}/video_feed?source=front&blur=blur&labels=none", 1)
    assert picture[110:230, 230:330].std(axis=(0, 1)).max() < 4


def test_a_viewer_gets_the_newest_frames_at_no_more_than_the_requested_rate(gateway: GatewayProcess):
    body = b""
    with httpx.stream("GET", f"{gateway.url}/video_feed?source=front&fps=1", timeout=20) as answer:
        parts = answer.iter_raw()
        while body.count(b"X-Frame") < 4:  # so the lines of the first three are whole
            body += next(parts)
    headers = [json.loads(part.split(b"\r\n")[0]) for part in body.split(b"X-Frame: ")[1:4]]
    seconds = (headers[-1]["captured_ms"] - headers[0]["captured_ms"]) / 1000  # two pauses of one second
    assert 1.5 < seconds < 6
    assert headers[-1]["frame"] >= headers[0]["frame"] + 10


def test_without_viewers_and_saving_the_capture_has_no_listener(
    server: PrivateServer, producer: Producer, tmp_path: Path
):
    with gateway_process(server.url, tmp_path / "faces", save="false") as gateway:
        until(gateway.ready, 30)
        until(lambda: gateway.get("/emotion").json()["emotion"], what="the first reading")
        assert producer.last_receivers == 0
        pictures_of(f"{gateway.url}/video_feed", 2)
        until(lambda: producer.last_receivers == 0, what="the end of the subscription")
        assert producer.jpegs > 0
        assert gateway.saved() == []
        saved = httpx.post(f"{gateway.url}/save_current", timeout=20)
        assert saved.status_code == 200, saved.text
        assert len(gateway.saved()) == 1


def test_the_video_of_an_offline_source_shows_a_placeholder(gateway: GatewayProcess, producer: Producer):
    producer.state, producer.reason = "OFFLINE", "unplugged"
    until(lambda: gateway.get("/api/v1/sources/front").json()["state"] == "OFFLINE")
    started = time.monotonic()
    one, two, three = pictures_of(f"{gateway.url}/video_feed?source=front", 3)
    assert 1 < time.monotonic() - started < 9
    assert (one == two).all()
    assert (one == three).all()
    assert np.abs(one[5, 5].astype(int) - (36, 30, 28)).max() < 8, "the placeholder's ground"
    assert gateway.get("/video_feed?source=nobody").status_code == 404


def test_a_viewer_without_a_source_gets_the_next_source_when_the_first_is_gone(
    server: PrivateServer, clients: Clients, tmp_path: Path
):
    with Producer(server.url) as front, gateway_process(server.url, tmp_path / "faces", save="false") as gateway:
        until(gateway.ready, 30)
        with httpx.stream("GET", f"{gateway.url}/video_feed", timeout=20) as answer:
            arriving = answer.iter_raw()
            until(lambda: next(arriving) and front.last_receivers, what="the first source's video")
            with Producer(server.url, "door", order=1) as door:
                until(lambda: next(arriving) and gateway.get("/emotion?source=door").status_code == 200)
                assert door.last_receivers == 0
                front.stop()
                clients.commands.hdel(keys.SOURCES, "front")
                until(lambda: next(arriving) and door.last_receivers, what="the next source's video")


def test_a_viewer_that_stops_reading_is_dropped(gateway: GatewayProcess):
    viewer = stalled_viewer(gateway.port)
    until(lambda: "gateway_viewers 1.0" in gateway.get("/metrics").text)
    until(lambda: "gateway_viewers 0.0" in gateway.get("/metrics").text, 30, "the end of the stalled viewer")
    viewer.close()


def open_sockets(files: Path) -> list[str]:
    """Those of a process; its database and logs are opened when they are needed."""
    found = []
    for file in files.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(file.readlink()))
    return sorted(name for name in found if name.startswith("socket:"))


def test_viewers_that_vanish_leave_nothing_behind(gateway: GatewayProcess):
    files = Path(f"/proc/{gateway.process.pid}/fd")
    if not files.exists():
        pytest.skip("no /proc here")
    pictures_of(f"{gateway.url}/video_feed", 1)
    until(lambda: "gateway_viewers 0.0" in gateway.get("/metrics").text)
    before = open_sockets(files)
    for _ in range(30):
        viewer = stalled_viewer(gateway.port)
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        viewer.close()
        with connect_socket(gateway.socket_url):
            pass
    until(lambda: "gateway_viewers 0.0" in gateway.get("/metrics").text, 30)
    until(lambda: len(open_sockets(files)) <= len(before) + 2, 20, f"the sockets of before, {before}")


def video_message(client: ClientConnection) -> tuple[dict[str, Any], bytes]:
    """The metadata and the JPEG of the next picture of a feed."""
    message = client.recv(timeout=15)
    assert isinstance(message, bytes), message
    length = int.from_bytes(message[:4], "big")
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def test_one_websocket_delivers_the_videos_of_several_sources(gateway: GatewayProcess):
    with connect_socket(f"ws://127.0.0.1:{gateway.port}/ws/video") as client:
        client.send(json.dumps({"watch": [{"source": "front", "width": 320}, {"source": "nosuch"}]}))
        seen: dict[str, dict[str, Any]] = {}
        while seen.keys() != {"front", "nosuch"}:
            metadata, jpeg = video_message(client)
            seen[metadata["source"]] = metadata
            client.send(json.dumps({"ready": metadata["source"]}))
            if metadata["source"] == "front":
                assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)
        assert {face["track"] for face in seen["front"]["faces"]} == {1, 2}
        assert seen["nosuch"] == {"source": "nosuch"}, "a placeholder"
        until(lambda: "emotii_gateway_viewers 1.0" in gateway.get("/metrics").text, what="the viewer is counted")
    until(lambda: "emotii_gateway_viewers 0.0" in gateway.get("/metrics").text, what="the end of the viewer")


def test_a_feed_sends_no_further_picture_of_a_source_until_the_client_has_shown_one(gateway: GatewayProcess):
    with connect_socket(f"ws://127.0.0.1:{gateway.port}/ws/video") as client:
        client.send(json.dumps({"watch": [{"source": "front"}]}))
        frames = [video_message(client)[0]["frame"] for _ in range(2)]
        with pytest.raises(TimeoutError):
            client.recv(timeout=1)
        client.send(json.dumps({"ready": "front"}))
        newest, _ = video_message(client)
        assert newest["frame"] > frames[-1] + 3, "the newest frame, not one that waited"
        client.send(json.dumps({"watch": []}))
        client.send(json.dumps({"ready": "front"}))
        with pytest.raises(TimeoutError):
            client.recv(timeout=1)


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[]",
        '{"watch": [{"source": "../etc"}]}',
        '{"watch": [{"source": "front", "width": 1}]}',
        '{"ready": 5}',
        json.dumps({"watch": [{"source": f"s{number}"} for number in range(65)]}),
    ],
)
def test_a_feed_refuses_what_is_no_request_for_video(gateway: GatewayProcess, message: str):
    with connect_socket(f"ws://127.0.0.1:{gateway.port}/ws/video") as client:
        client.send(message)
        assert json.loads(client.recv(timeout=10))["error"]["code"] == "invalid_request"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
