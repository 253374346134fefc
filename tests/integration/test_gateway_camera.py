"""`/ws/camera/{name}`: a browser as camera, from the gateway's side; the test plays the browser and the capture."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.added_sources import REVISION
from contract.messages import AddedSource, InboxPicture, SourceStatus
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, clip_frames, gateway_process, until

JPEG = cv2.imencode(".jpg", clip_frames(1)[0])[1].tobytes()
LEASE = keys.lease(keys.camera("tab"))


@pytest.fixture
def gateway(server: PrivateServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, tmp_path / "faces", added_sources="2", camera_frame_limit="100000") as gateway:
        until(lambda: "listens" in gateway.log.read_text(), 90)
        yield gateway


@contextmanager
def browser(gateway: GatewayProcess, name: str = "tab", **more: object) -> Iterator[ClientConnection]:
    with connect_socket(f"ws://127.0.0.1:{gateway.port}/ws/camera/{name}", **more) as socket:
        yield socket


def ready(socket: ClientConnection, seconds: float = 10) -> int:
    return json.loads(socket.recv(timeout=seconds))["ready"]


def refusal(socket: ClientConnection) -> str:
    """The code of the reason, after which the connection is closed."""
    while "error" not in (said := json.loads(socket.recv(timeout=15))):
        continue
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=15)
    assert said["error"]["message"]
    return said["error"]["code"]


def waiting(clients: Clients, name: str = "tab") -> list[tuple[bytes, InboxPicture]]:
    return [(entry, InboxPicture.read(fields)) for entry, fields in clients.commands.xrange(keys.inbox(name))]


def test_the_gateway_grants_credits_as_the_capture_processes_pictures(gateway: GatewayProcess, clients: Clients):
    with browser(gateway) as socket:
        assert ready(socket) == 2
        added = AddedSource.model_validate_json(clients.commands.hget(keys.ADDED_SOURCES, "tab"))
        assert (added.camera, added.address) == ("browser", "")
        socket.send(JPEG)
        socket.send(JPEG)
        (first, picture), (_, second) = until(lambda: len(waiting(clients)) == 2 and waiting(clients))
        assert picture.picture == JPEG
        assert (picture.frame, second.frame, picture.epoch) == (0, 1, second.epoch)
        with pytest.raises(TimeoutError):
            ready(socket, 1)  # no process captures: no credits
        clients.commands.xdel(keys.inbox("tab"), first)
        assert ready(socket) == 1
        socket.send(JPEG)
        until(lambda: [picture.frame for _, picture in waiting(clients)] == [1, 2])
    until(lambda: not clients.commands.exists(LEASE), 10, "the name is free again")
    with browser(gateway) as socket:
        assert ready(socket) == 2
        assert waiting(clients) == [], "pictures of the one before"


def test_a_second_browser_is_refused_until_the_first_has_left(
    gateway: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    with gateway_process(server.url, tmp_path / "two") as two, browser(gateway) as first:
        until(lambda: "listens" in two.log.read_text(), 90)
        assert ready(first) == 2
        for other in (gateway, two):
            with browser(other) as second:
                assert refusal(second) == "name_taken"
        gateway.process.kill()
        until(lambda: _admitted(two), 30, "the lease of a gateway that died ends")


def _admitted(gateway: GatewayProcess) -> bool:
    with browser(gateway) as socket:
        return "ready" in json.loads(socket.recv(timeout=10))


NO_PICTURES = [
    ("a text", "bad_picture"),
    (b"", "bad_picture"),
    (b"\x89PNG", "bad_picture"),
    (JPEG[:2] + bytes(100_000), "too_large"),
]
NO_NAMES = ["Tab", "a%7D%7Bb", "uploads", "x" * 33]


def test_an_invalid_picture_or_name_ends_the_connection_with_the_reason(gateway: GatewayProcess, clients: Clients):
    for name in NO_NAMES:
        with browser(gateway, name) as socket:
            assert refusal(socket) == "bad_source"
    assert set(clients.commands.hkeys(keys.ADDED_SOURCES)) <= {REVISION}
    for message, code in NO_PICTURES:
        with browser(gateway) as socket:
            assert ready(socket) == 2
            socket.send(message)
            assert refusal(socket) == code
    assert waiting(clients) == []


def test_a_browser_that_floods_is_disconnected_and_few_pictures_are_stored(gateway: GatewayProcess, clients: Clients):
    with browser(gateway) as socket:
        assert ready(socket) == 2
        for _ in range(3):
            socket.send(JPEG)
        assert refusal(socket) == "too_fast"
    assert len(waiting(clients)) == 2
    with browser(gateway, "other", max_size=None) as socket:
        assert ready(socket) == 2
        socket.send(bytes(1_000_000))
        with pytest.raises(ConnectionClosed, match="1009"):
            socket.recv(timeout=15)


def test_a_browser_camera_cannot_take_the_name_of_another_source_and_their_number_is_limited(
    gateway: GatewayProcess, clients: Clients
):
    door = AddedSource(name="door", address="demo", added_ms=1)
    clients.commands.hset(keys.ADDED_SOURCES, "door", door.model_dump_json())
    seconds, _ = clients.commands.time()
    front = SourceStatus(name="front", kind="camera", state="ONLINE", since_ms=1, seen_ms=seconds * 1000)
    clients.commands.hset(keys.SOURCES, "front", front.model_dump_json())
    until(lambda: "front" in gateway.get("/api/v1/sources").text)
    for name in ("door", "front"):
        with browser(gateway, name) as socket:
            assert refusal(socket) == "name_taken"
    with browser(gateway) as socket:
        assert ready(socket) == 2  # before the third connects, or that one may be the first
        with browser(gateway, "third") as third:
            assert refusal(third) == "too_many_sources"
    assert gateway.get("/api/v1/sources/tab").json()["removable"] is False


def test_a_page_of_another_site_may_not_send_pictures(gateway: GatewayProcess):
    with pytest.raises(InvalidStatus) as refused, browser(gateway, origin="https://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403


def test_an_outage_of_redis_is_reported_and_the_browser_can_reconnect(gateway: GatewayProcess, server: PrivateServer):
    with browser(gateway) as socket:
        assert ready(socket) == 2
        server.kill()
        assert refusal(socket) == "redis_unavailable"
    server.start()
    until(lambda: _admitted_after_a_pause(gateway), 30, "the browser is admitted again")
    assert "Traceback" not in gateway.log.read_text()


def _admitted_after_a_pause(gateway: GatewayProcess) -> bool:
    time.sleep(0.2)
    return _admitted(gateway)


def test_a_gateway_with_a_connected_browser_shuts_down_in_order(gateway: GatewayProcess, clients: Clients):
    with browser(gateway) as socket:
        assert ready(socket) == 2
        gateway.process.terminate()
        assert gateway.process.wait(20) == 0
    assert not clients.commands.exists(LEASE)
    assert "Traceback" not in gateway.log.read_text()
