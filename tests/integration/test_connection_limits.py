"""Attacks on the gateway's connections: bodies and heads without end, idle sockets, more WebSockets than it can hold.

The limits are small here, and the attackers have addresses of their own, so that the others can be served meanwhile.
"""

import base64
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psutil
import pytest

from tests.stage import GatewayProcess, until

CONNECTIONS, PER_ADDRESS, TIMEOUT = 40, 16, 2.0
SYSTEM_SETTINGS = {
    "max_connections": str(CONNECTIONS),
    "max_connections_per_address": str(PER_ADDRESS),
    "request_timeout": f"{TIMEOUT:g}s",
    "save": "false",
    "history": "0",
}
MEMORY = 60_000_000
"""Bytes that an attack may cost."""
PROBES = ("/healthz", "/readyz", "/metrics")


@pytest.fixture(autouse=True)
def memory(gateway: GatewayProcess) -> Iterator[None]:
    """No attack makes the process large, or is a mistake of ours."""
    process = psutil.Process(gateway.process.pid)
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss - before < MEMORY
    assert "Traceback" not in gateway.log.read_text()


def opened(gateway: GatewayProcess, address: str = "127.0.0.66", seconds: float = 30) -> socket.socket:
    """A connection from an address of this machine; 127.0.0.66 is the attacker's."""
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=seconds, source_address=(address, 0))


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers]).encode() + b"\r\n\r\n"


def status(connection: socket.socket) -> int | None:
    """The status of the response; None if the connection ends without one."""
    received = b""
    with suppress(ConnectionError):
        while b"\r\n" not in received:
            if not (more := connection.recv(65536)):
                break
            received += more
    return int(received.split()[1]) if received else None


def served(gateway: GatewayProcess, path: str = "/emotion", address: str = "127.0.0.1") -> int | None:
    with opened(gateway, address, seconds=10) as connection:
        connection.sendall(head(f"GET {path}", "Connection: close"))
        return status(connection)


def sent_until_refused(connection: socket.socket, piece: bytes, most: int = 100_000_000) -> int:
    """Send a piece again and again until the gateway ends the connection; returns the bytes that it took."""
    sent = 0
    with suppress(ConnectionError, TimeoutError):
        connection.settimeout(TIMEOUT * 3)
        while sent < most:
            sent += connection.send(piece)
    return sent


BODIES = ["POST /api/v1/session", "PATCH /api/v1/settings", "POST /nowhere", "PUT /emotion", "GET /video_feed"]


@pytest.mark.parametrize("line", BODIES)
@pytest.mark.parametrize("space", ["", " ", "\t "], ids=["", "a space", "a tab and a space"])
def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(gateway: GatewayProcess, line: str, space: str):
    with opened(gateway) as connection:
        connection.sendall(head(line, "Content-Type: application/json", f"Content-Length: 800000000{space}") + b"{")
        assert status(connection) == 413


@pytest.mark.parametrize("line", BODIES)
def test_a_body_of_unknown_length_is_refused_when_it_is_too_large(gateway: GatewayProcess, line: str):
    with opened(gateway) as connection:
        connection.sendall(head(line, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        connection.sendall(b"".join(b"2000\r\n" + b"x" * 8192 + b"\r\n" for _ in range(10)))
        assert status(connection) == 413


def test_a_body_that_does_not_arrive_in_time_is_refused(gateway: GatewayProcess):
    with ExitStack() as stack:
        connections = [stack.enter_context(opened(gateway, seconds=TIMEOUT / 10)) for _ in BODIES]
        for connection, line in zip(connections, BODIES, strict=True):
            connection.sendall(head(line, "Content-Type: application/json", "Content-Length: 100"))
        received, deadline = [b""] * len(BODIES), time.monotonic() + TIMEOUT * 5
        while not all(received) and time.monotonic() < deadline:
            for number, connection in enumerate(connections):
                with suppress(TimeoutError, ConnectionError):
                    connection.send(b" ")  # never silent for long
                    received[number] = received[number] or connection.recv(65536)
    assert [answer.split()[1] for answer in received] == [b"408"] * len(BODIES)
    assert all(b"connection: close" in answer.lower() for answer in received)


def test_other_parts_of_a_form_count_as_well(gateway: GatewayProcess):
    part = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n'
    for line in ("POST /api/v1/predict", "POST /api/v1/jobs"):
        with opened(gateway) as connection:
            kind = "Content-Type: multipart/form-data; boundary=b"
            connection.sendall(head(line, kind, "Content-Length: 3000000000") + part)
            assert status(connection) == 413


def test_clients_that_leave_while_their_requests_wait_are_no_mistake_of_ours(gateway: GatewayProcess):
    for path in ("/static/app.js", "/emotion", "/video_feed"):
        for count in (2, 10, 100):  # 100 are too many
            with opened(gateway) as connection, suppress(ConnectionError):
                connection.sendall(head(f"GET {path}") * count)
                connection.recv(1000)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert served(gateway) == 200  # and the log has no traceback, which the fixture checks


def test_a_form_has_a_limited_number_of_parts(gateway: GatewayProcess):
    part = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n\r\n'
    for line in ("POST /api/v1/predict", "POST /api/v1/jobs"):
        with opened(gateway) as connection:
            kind = "Content-Type: multipart/form-data; boundary=b"
            connection.sendall(head(line, kind, "Content-Length: 1000000") + part * 100)
            assert status(connection) == 400


def test_a_trailer_is_no_header(gateway: GatewayProcess):
    with opened(gateway) as connection:
        request = head("POST /nowhere", "Transfer-Encoding: chunked")
        connection.sendall(request + b"0\r\nHost: evil.example\r\n\r\n")
        assert status(connection) == 404


HEADS = {
    "an address without end": (b"GET /", b"x" * 65536),
    "a header without end": (head("GET /").removesuffix(b"\r\n") + b"X-A: ", b"x" * 65536),
    "headers without end": (head("GET /").removesuffix(b"\r\n"), b"X-A: b\r\n" * 4096),
    "trailers without end": (head("POST /nowhere", "Transfer-Encoding: chunked") + b"0\r\n", b"X-A: b\r\n" * 4096),
    "a trailer without end": (head("POST /nowhere", "Transfer-Encoding: chunked") + b"0\r\nX-A: ", b"x" * 65536),
    "a chunk extension without end": (head("POST /nowhere", "Transfer-Encoding: chunked") + b"1;", b"x" * 65536),
    "requests without end": (b"", head("GET /emotion") * 1000),
}


@pytest.mark.parametrize(("first", "more"), HEADS.values(), ids=HEADS)
def test_what_has_no_end_is_disconnected_soon(gateway: GatewayProcess, first: bytes, more: bytes):
    with opened(gateway) as connection:
        connection.sendall(first)
        assert sent_until_refused(connection, more) < 20_000_000
    assert served(gateway) == 200


@pytest.mark.parametrize("headers", [[f"X-A: {'x' * 100_000}"], ["a:"] * 10_000], ids=["large", "many"])
def test_a_head_that_is_too_large_gets_the_reason(gateway: GatewayProcess, headers: list[str]):
    with opened(gateway) as connection:
        connection.sendall(head("GET /emotion", *headers))
        assert status(connection) == 431


WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}")  # fmt: skip
ONE_BYTE = head("POST /api/v1/session", "Content-Type: application/json", "Content-Length: 50") + b"{"
HALF_A_HEAD = b"GET /emotion HTTP/1.1\r\nHost: "


IDLE = {"nothing": b"", "half a head": HALF_A_HEAD, "one byte of a body": ONE_BYTE}


def test_a_websocket_does_not_begin_while_a_video_runs_on_its_connection(gateway: GatewayProcess):
    with opened(gateway, seconds=TIMEOUT * 3) as connection, suppress(ConnectionError):
        connection.sendall(head("GET /video_feed") + head("GET /ws/emotions", *WEBSOCKET))
        while connection.recv(65536):
            pass
    until(lambda: "emotii_gateway_viewers 0.0" in gateway.get("/metrics").text, 30, "the viewer's end")


@pytest.mark.parametrize("sent", IDLE.values(), ids=IDLE)
def test_idle_sockets_do_not_keep_others_out(gateway: GatewayProcess, sent: bytes):
    with ExitStack() as stack:
        for _ in range(CONNECTIONS * 3):
            with suppress(ConnectionError):
                stack.enter_context(opened(gateway)).sendall(sent)
        assert served(gateway) == 200
        for path in PROBES:
            assert served(gateway, path) == 200
            assert served(gateway, path, "127.0.0.66") == 200


@pytest.mark.parametrize("path", ["/api/v1/session", "/healthz"])
def test_probes_have_places_when_all_others_are_taken(gateway: GatewayProcess, path: str):
    one_byte = ONE_BYTE.replace(b"/api/v1/session", path.encode())
    with ExitStack() as stack:
        for number in range(CONNECTIONS * 2):
            with suppress(ConnectionError):
                stack.enter_context(opened(gateway, f"127.0.1.{number % 10 + 1}")).sendall(one_byte)
        assert served(gateway, "/emotion") == 503
        for path in PROBES:
            assert served(gateway, path) == 200
    until(lambda: served(gateway) == 200, TIMEOUT * 5, "places")


STREAMS = {
    "WebSockets": (head("GET /ws/emotions", *WEBSOCKET), 101),
    "videos": (head("GET /video_feed"), 200),
}


@pytest.mark.parametrize(("request_", "accepted"), STREAMS.values(), ids=STREAMS)
def test_endless_responses_leave_places_for_requests(gateway: GatewayProcess, request_: bytes, accepted: int):
    with ExitStack() as stack:
        answers = []
        for number in range(CONNECTIONS * 2):
            stream = stack.enter_context(opened(gateway, f"127.0.2.{number % 8 + 1}"))
            stream.sendall(request_)
            answers.append(status(stream))
            if answers[-1] != accepted:
                stream.close()
        assert set(answers) == {accepted, 503}
        assert answers.count(accepted) <= CONNECTIONS * 3 // 4
        for path in ("/emotion", *PROBES):
            assert served(gateway, path) == 200
    until(lambda: "emotii_gateway_viewers 0.0" in gateway.get("/metrics").text, 30, "the viewers' end")


def test_one_address_has_only_a_part_of_the_streams(gateway: GatewayProcess):
    with ExitStack() as stack:
        answers = []
        for _ in range(PER_ADDRESS):
            stream = stack.enter_context(opened(gateway))
            stream.sendall(STREAMS["WebSockets"][0])
            answers.append(status(stream))
        assert answers.count(101) == PER_ADDRESS * 3 // 4
        assert served(gateway, address="127.0.0.66") == 200
        with opened(gateway, "127.0.0.67") as other:
            other.sendall(STREAMS["WebSockets"][0])
            assert status(other) == 101


UNREADABLE = {
    "with a body": head("GET /ws/emotions", *WEBSOCKET, "Content-Length: 5") + b"hello",
    "with too many headers": head("GET /ws/emotions", *WEBSOCKET, *["X-A: b"] * 200),
    "with a long address": head(f"GET /ws/emotions?{'x' * 10_000}", *WEBSOCKET),
    "with a long header": head("GET /ws/emotions", *WEBSOCKET, f"X-A: {'x' * 20_000}"),
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE)
def test_a_websocket_request_that_cannot_be_read_holds_no_place(gateway: GatewayProcess, request_: bytes):
    for _ in range(PER_ADDRESS * 2):
        with opened(gateway) as connection:
            connection.sendall(request_)
            assert status(connection) in {400, 431, None}
    assert served(gateway, address="127.0.0.66") == 200
