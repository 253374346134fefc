"""WebSocket and MJPEG clients that break the rules get an error or a close code; other clients are not affected."""

import base64
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from emotii.local.redis_server import PrivateServer, find_server
from tests.stage import GatewayProcess, Producer, gateway_process, until
from tests.viewer import drain, events_of, stalled_viewer


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("bad-sockets")
    server = PrivateServer(folder / "redis", find_server())
    server.start()
    try:
        with Producer(server.url), gateway_process(server.url, folder / "faces") as gateway:
            until(gateway.ready, 60, "readiness")
            yield gateway
            assert "ASGI application" not in gateway.log.read_text(), "an unexpected error"
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def witness(gateway: GatewayProcess) -> Iterator[ClientConnection]:
    """A client that keeps the protocol still works, and no other client is left."""
    with connect_socket(gateway.socket_url) as client:
        next(events_of(client, "reading"))
        yield client
        next(events_of(client, "reading"))
    until(lambda: "emotii_gateway_websocket_clients 0.0" in gateway.get("/metrics").text, 30, "no client is left")
    until(lambda: "emotii_gateway_viewers 0.0" in gateway.get("/metrics").text, 30, "no viewer is left")


@pytest.mark.parametrize("path", ["/ws/emotions", "/ws/camera/mine"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example", "file://"])
def test_a_websocket_from_another_site_is_refused(gateway: GatewayProcess, path: str, origin: str):
    with pytest.raises(InvalidStatus) as refusal, connect_socket(f"ws://127.0.0.1:{gateway.port}{path}", origin=origin):
        pass
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("origin", [None, "own"])
def test_a_websocket_from_a_program_or_our_own_page_is_accepted(gateway: GatewayProcess, origin: str | None):
    with connect_socket(gateway.socket_url, origin=origin and gateway.url) as client:
        assert next(events_of(client, "reading"))["emotion"]


@pytest.mark.parametrize("host", ["evil.example", "0.0.0.0"])
def test_a_websocket_with_another_host_name_is_refused(gateway: GatewayProcess, host: str):
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect_socket(
            f"ws://{host}:{gateway.port}/ws/emotions", sock=socket.create_connection(("127.0.0.1", gateway.port))
        ),
    ):
        pass
    assert refusal.value.response.status_code == 400


def upgraded(gateway: GatewayProcess, path: str = "/ws/emotions") -> socket.socket:
    """A connection after its handshake, on which anything can be sent."""
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    key = base64.b64encode(os.urandom(16)).decode()
    head = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]
    head += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 101"
    return connection


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    size = len(payload)
    sizes = struct.pack("!BH", 126, size) if 125 < size < 65_536 else struct.pack("!BQ", 127, size)
    sizes = bytes([size]) if size <= 125 else sizes
    first = bytes([sizes[0] | (0x80 if masked else 0)])
    return bytes([(0x80 if fin else 0) | opcode]) + first + sizes[1:] + (bytes(4) if masked else b"") + payload


def closed_with(connection: socket.socket) -> int | None:
    """The code of the close frame that ends the connection; None if it ends without one."""
    received = b""
    try:
        while more := connection.recv(65536):
            received += more
    except ConnectionResetError:
        pass
    found = received.rfind(b"\x88")
    return struct.unpack("!H", received[found + 2 : found + 4])[0] if found >= 0 else None


BROKEN = {
    "invalid UTF-8": (frame(Opcode.TEXT, b"\xff\xfe\xfd"), 1007),
    "a frame of 16 MB": (frame(Opcode.TEXT, b"x" * 16_000_000), 1009),
    "a frame that says it has 2^62 bytes": (b"\x81\xff" + struct.pack("!Q", 2**62) + bytes(4), 1009),
    "fragments without end": (
        frame(Opcode.TEXT, b"x" * 60_000, fin=False) + frame(Opcode.CONT, b"x" * 60_000, fin=False) * 200,
        1009,
    ),
    "empty fragments without end": (
        frame(Opcode.TEXT, b"", fin=False) + frame(Opcode.CONT, b"", fin=False) * 500,
        1009,
    ),
    "pings without end": (frame(Opcode.PING, b"x" * 125) * 3000, 1008),
    "messages without end": (frame(Opcode.TEXT, b"") * 3000, 1008),
    "half a message of 500 kB": (frame(Opcode.TEXT, b"x" * 500_000)[:400_000], 1009),
    "a frame without mask": (frame(Opcode.TEXT, b"{}", masked=False), 1002),
    "an unknown opcode": (frame(0x3, b""), 1002),
    "a continuation of nothing": (frame(Opcode.CONT, b"x"), 1002),
    "a ping of 200 bytes": (frame(Opcode.PING, b"x" * 200), 1002),
}


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
def test_a_client_that_breaks_the_protocol_is_disconnected_with_the_matching_code(
    gateway: GatewayProcess, sent: bytes, code: int
):
    with upgraded(gateway) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # disconnected before everything was sent
            connection.sendall(sent)
        assert closed_with(connection) in {code, None}
    assert gateway.process.poll() is None


ODD = {
    "binary": b"\x00\x01",
    "no JSON": "hello",
    "a list": "[]",
    "deep JSON": "[" * 20_000 + "]" * 20_000,
    "NaN": '{"subscribe": {"rate": NaN}}',
    "unknown fields": '{"admin": true}',
    "nothing": "",
    "NUL": "\0",
}


@pytest.mark.parametrize("message", ODD.values(), ids=ODD)
def test_an_invalid_message_gets_an_error_and_the_events_continue(gateway: GatewayProcess, message: str | bytes):
    with connect_socket(gateway.socket_url) as client:
        client.send(message)
        assert next(events_of(client, "refused"))["message"]
        assert next(events_of(client, "reading"))["emotion"]


@pytest.mark.parametrize("message", ["text", b"", b"no JPEG", bytes(1_000_001)])
def test_a_camera_that_sends_no_pictures_is_disconnected_with_the_reason(gateway: GatewayProcess, message: str | bytes):
    with connect_socket(f"ws://127.0.0.1:{gateway.port}/ws/camera/mine") as client:
        client.send(message)
        with pytest.raises(ConnectionClosed) as end:
            drain(client)
    assert end.value.rcvd.code == 1008
    assert end.value.rcvd.reason == ("too_large" if len(message) > 1_000_000 else "bad_picture")


@pytest.mark.parametrize("name", ["..%2f..", "UPPER", "x" * 33, "uploads", "%7D%7B", "%00", "%ff"])
def test_a_camera_with_an_invalid_name_is_refused(gateway: GatewayProcess, name: str):
    try:
        with (
            connect_socket(f"ws://127.0.0.1:{gateway.port}/ws/camera/{name}") as client,
            pytest.raises(ConnectionClosed),
        ):
            drain(client)
    except InvalidStatus as refusal:
        status = refusal.response.status_code
    else:
        return
    assert status in {400, 403, 404}


def test_a_half_closed_websocket_is_disconnected(gateway: GatewayProcess):
    with upgraded(gateway) as connection:
        connection.shutdown(socket.SHUT_WR)
        closed_with(connection)


def test_a_half_closed_video_connection_is_disconnected(gateway: GatewayProcess):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(b"GET /video_feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.shutdown(socket.SHUT_WR)
        closed_with(connection)


def test_a_video_connection_that_is_not_read_ends(gateway: GatewayProcess):
    viewer = stalled_viewer(gateway.port)
    until(lambda: "emotii_gateway_viewers 1.0" in gateway.get("/metrics").text, 20, "the viewer")
    until(lambda: "emotii_gateway_viewers 0.0" in gateway.get("/metrics").text, 40, "its end")
    viewer.close()


def test_a_websocket_that_is_not_read_ends(gateway: GatewayProcess):
    with upgraded(gateway) as connection:
        until(lambda: "emotii_gateway_websocket_clients 2.0" in gateway.get("/metrics").text, 20, "the client")
        connection.shutdown(socket.SHUT_RD)
    until(lambda: "emotii_gateway_websocket_clients 1.0" in gateway.get("/metrics").text, 40, "its end")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "DELETE"])
def test_a_video_is_served_only_by_get(gateway: GatewayProcess, method: str):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(f"{method} /video_feed HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := connection.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == (b"200" if method == "HEAD" else b"405")
    assert (body == b"") == (method == "HEAD")
