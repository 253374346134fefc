"""Requests that no honest client sends, over real connections: each gets a response, and the gateway continues."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emotii.local.redis_server import PrivateServer, find_server
from tests.stage import GatewayProcess, Producer, gateway_process, until


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("bad-requests")
    server = PrivateServer(folder / "redis", find_server())
    server.start()
    try:
        with (
            Producer(server.url),
            gateway_process(server.url, folder / "faces", save_every="0.1", jobs=str(folder / "jobs")) as gateway,
        ):
            until(gateway.ready, 60, "readiness")
            until(lambda: len(gateway.saved()) >= 20, 60, "saved faces")
            yield gateway
            assert "Traceback" not in gateway.log.read_text()
    finally:
        server.stop()


def raw(
    gateway: GatewayProcess, line: str, *headers: str, body: bytes = b"", host: str = "localhost"
) -> httpx.Response:
    """The response to a request that is sent exactly as it is written here."""
    head = [line + " HTTP/1.1", *([f"Host: {host}"] if host else []), *headers, "Connection: close"]
    if body:
        head.append(f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    first, _, rest = answer.partition(b"\r\n")
    return httpx.Response(int(first.split()[1]), content=rest.partition(b"\r\n\r\n")[2])


UP = {
    "plain": "../",
    "dots encoded": "%2e%2e/",
    "slash encoded": "..%2f",
    "all encoded": "%2E%2E%2F",
    "encoded twice": "%252e%252e%252f",
    "backslash": "..%5c",
    "overlong": "..%c0%af",
    "dots doubled": "....//",
}
BELOW = ("/api/v1/faces/", "/api/v1/faces/happy/", "/api/v1/jobs/", "/api/v1/jobs/4f9d0c1be2a3/", "/static/")


@pytest.mark.parametrize("up", UP.values(), ids=UP)
@pytest.mark.parametrize("below", BELOW)
def test_no_path_reaches_outside_a_folder(gateway: GatewayProcess, below: str, up: str):
    for target in ("etc/passwd", "app.py", "happy"):
        answer = raw(gateway, f"GET {below}{up * 8}{target}")
        assert answer.status_code in {404, 422}
        assert set(answer.json()) == {"error"}


FACE = "happy_97.3_20260131_235959_000001.jpg"
NAMES = {
    "absolute": "//etc/passwd",
    "absolute, encoded": "%2fetc%2fpasswd",
    "NUL": FACE + "%00.jpg",
    "NUL in the middle": "happy_97.3%00_20260131_235959_000001.jpg",
    "newline": FACE + "%0a",
    "300 characters": "x" * 300,
    "300 times a face": FACE * 8,
    "not UTF-8": "%ff%fe.jpg",
    "unfinished file": f".{FACE}.part",
    "upper case": FACE.upper(),
    "another emotion's": FACE.replace("happy", "sad"),
    "32nd of January": FACE.replace("0131", "0132"),
    "full-width digits": "happy_%EF%BC%99%EF%BC%97.3_20260131_235959_000001.jpg",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_a_path_that_names_no_face_returns_404(gateway: GatewayProcess, method: str, name: str):
    body = b'{"emotion": "sad"}' if method == "PATCH" else b""
    kind = ["Content-Type: application/json"] if body else []
    answer = raw(gateway, f"{method} /api/v1/faces/happy/{name}", *kind, body=body)
    assert (answer.status_code, answer.json()["error"]["code"] in {"unknown_face", "not_found"}) == (404, True)


QUERIES = {
    "limit -1": ("/api/v1/faces?limit=-1", 422),
    "limit 0": ("/api/v1/faces?limit=0", 422),
    "limit 1e9": ("/api/v1/faces?limit=1e9", 422),
    "limit 1000000000": ("/api/v1/faces?limit=1000000000", 422),
    "limit 2^64": (f"/api/v1/faces?limit={2**64}", 422),
    "limit of 5000 digits": (f"/api/v1/faces?limit={'9' * 5000}", 422),
    "limit NaN": ("/api/v1/readings?limit=nan", 422),
    "limit twice": ("/api/v1/faces?limit=-1&limit=5", 200),
    "an emotion that is a path": ("/api/v1/faces?emotion=../../etc", 200),
    "an unknown emotion": ("/api/v1/faces?emotion=joy", 200),
    "before a path": ("/api/v1/faces?before=../../x", 404),
    "before with NUL": ("/api/v1/faces?before=%00", 404),
    "a source with a path": ("/emotion?source=../../x", 404),
    "a source }{": ("/emotion?source=%7D%7B", 404),
    "a time of the year 9999999": ("/api/v1/readings?from=9999999-01-01", 422),
    "a cursor of nonsense": ("/api/v1/readings?after=%ff", 404),
    "a query of 60,000 characters": (f"/api/v1/faces?emotion={'x' * 60_000}", 422),
}


@pytest.mark.parametrize(("path", "status"), QUERIES.values(), ids=QUERIES)
def test_unusual_queries_get_the_expected_response(gateway: GatewayProcess, path: str, status: int):
    answer = raw(gateway, f"GET {path}")
    assert answer.status_code == status
    if status == 200 and "emotion=" in path:
        assert answer.json() == {"faces": [], "total": 0, "next": None}


BODIES = {
    "deep lists": (b"[" * 30_000 + b"]" * 30_000, 400),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "more bytes than a body may have": (b"[" * 200_000, 413),
    "no JSON": (b"{", 422),
    "NaN": (b'{"saving": NaN}', 422),
    "not UTF-8": (b'{"saving": "\xff"}', 400),
    "a list": (b"[]", 422),
    "unknown fields": (b'{"saving": true, "admin": true}', 422),
    "a number that is huge": (b'{"saving": 1' + b"0" * 5000 + b"}", 400),
    "the same field twice": (b'{"blur": "off", "blur": "none"}', 422),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_unusual_bodies_get_the_expected_response_and_change_nothing(gateway: GatewayProcess, body: bytes, status: int):
    before = gateway.get("/api/v1/settings").json()
    answer = raw(gateway, "PATCH /api/v1/settings", "Content-Type: application/json", body=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert gateway.get("/api/v1/settings").json() == before


FOREIGN = {
    "another host": ("evil.example", [], 400),
    "another host with our port": ("evil.example:5000", [], 400),
    "a user before the host": ("localhost@evil.example", [], 400),
    "no host": ("", [], 400),
    "Origin null": ("localhost", ["Origin: null"], 403),
    "another origin": ("localhost", ["Origin: http://evil.example"], 403),
    "our origin behind another": ("localhost", ["Origin: http://localhost.evil.example"], 403),
    "another site": ("localhost", ["Sec-Fetch-Site: cross-site"], 403),
}


@pytest.mark.parametrize("line", ["GET /save_current", "POST /save_current", "DELETE /api/v1/sources/front"])
@pytest.mark.parametrize(("host", "headers", "status"), FOREIGN.values(), ids=FOREIGN)
def test_another_site_changes_nothing(gateway: GatewayProcess, line: str, host: str, headers: list[str], status: int):
    assert raw(gateway, line, *headers, host=host).status_code == status


def a_face(gateway: GatewayProcess) -> str:
    return gateway.get("/api/v1/faces?limit=1").json()["faces"][0]["url"]


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-HTTP-Method: DELETE"]
)
def test_nothing_is_deleted_by_get(gateway: GatewayProcess, header: str):
    face = a_face(gateway)
    assert raw(gateway, f"GET {face}?_method=DELETE&method=DELETE", header).status_code == 200
    assert gateway.get(face).status_code == 200


def test_deleting_a_face_twice_returns_404_the_second_time(gateway: GatewayProcess):
    face = gateway.url + a_face(gateway)
    answers: list[int] = []
    deleting = [
        threading.Thread(target=lambda: answers.append(httpx.delete(face, timeout=20).status_code)) for _ in "1234"
    ]
    for thread in deleting:
        thread.start()
    for thread in deleting:
        thread.join()
    assert sorted(answers) == [204, 404, 404, 404]


def test_pages_are_complete_while_faces_are_deleted(gateway: GatewayProcess):
    ended = threading.Event()

    def delete() -> None:
        while not ended.is_set():
            httpx.delete(gateway.url + a_face(gateway), timeout=20)

    deleting = threading.Thread(target=delete)
    deleting.start()
    try:
        for _ in range(20):
            page = gateway.get("/api/v1/faces?limit=5")
            assert page.status_code == 200
            assert len(page.json()["faces"]) <= 5
    finally:
        ended.set()
        deleting.join()


def test_a_link_in_the_store_is_neither_listed_nor_returned_nor_removed(gateway: GatewayProcess, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    link = gateway.folder / "happy" / "happy_99.9_20990101_000000_000000.jpg"
    link.symlink_to(secret)
    folder = gateway.folder / "planted"
    folder.symlink_to("/etc")
    try:
        for method in ("GET", "DELETE"):
            answer = raw(gateway, f"{method} /api/v1/faces/happy/{link.name}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_face")
        listed = gateway.get("/api/v1/faces?limit=200").json()["faces"]
        assert link.name not in {face["name"] for face in listed}
        assert gateway.get("/api/v1/faces?emotion=planted").json()["total"] == 0
        assert link.is_symlink()
        assert secret.read_text() == "secret"
    finally:
        link.unlink()
        folder.unlink()


RANGES = [
    "bytes=abc",
    "bytes=9-1",
    "bytes=-0",
    "bytes=999999999-",
    "bytes=" + "0-0," * 5000 + "1-1",
    "lines=1-2",
    "bytes=--1",
]


@pytest.mark.parametrize("value", RANGES)
def test_an_unusual_range_gets_a_response(gateway: GatewayProcess, value: str):
    assert raw(gateway, f"GET {a_face(gateway)}", f"Range: {value}").status_code == 200  # a face comes whole
    assert raw(gateway, "GET /static/app.js", f"Range: {value}").status_code in {200, 206, 400, 416}


GARBLED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a line without end": b"GET /" + b"x" * 200_000,
    "headers without end": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 40_000,
    "two lengths": b"POST /save_current HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "a negative length": b"POST /save_current HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "a length and chunks": b"POST /save_current HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("request_", GARBLED.values(), ids=GARBLED)
def test_bytes_that_are_not_a_request_are_refused_or_disconnected(gateway: GatewayProcess, request_: bytes):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        try:
            connection.sendall(request_)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while more := connection.recv(65536):
                answer += more
        except OSError:  # disconnected before everything was sent
            answer = b""
    assert answer == b"" or answer.split()[1] in {b"400", b"431", b"422"}
    assert gateway.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"GET /healthz HTTP/1.1\r\nHost: l\r\n\r\nGET"]
)
def test_a_connection_that_sends_no_request_is_closed_within_seconds(gateway: GatewayProcess, sent: bytes):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass
    assert time.monotonic() - began < 30


def test_forms_with_too_many_fields_or_files_are_refused(gateway: GatewayProcess):
    for files in ([("picture", b"x")] * 3, [(f"f{number}", b"x") for number in range(1000)]):
        answer = httpx.post(f"{gateway.url}/api/v1/predict", files=files, timeout=20)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    fields = {f"f{number}": "x" for number in range(1000)}
    answer = httpx.post(f"{gateway.url}/api/v1/predict", data=fields, files={"picture": b"x"}, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("name", ["../../x.mp4", "/etc/passwd", "..\\x.mp4", "a\0b.mp4", "x" * 300, "..", ""])
def test_a_recording_whose_name_is_a_path_is_refused_and_leaves_nothing(gateway: GatewayProcess, name: str):
    form = (
        b'--b\r\nContent-Disposition: form-data; name="video"; filename="' + name.encode() + b'"\r\n\r\nx\r\n--b--\r\n'
    )
    answer = raw(gateway, "POST /api/v1/jobs", "Content-Type: multipart/form-data; boundary=b", body=form)
    assert answer.status_code in {400, 422}
    assert json.loads(gateway.get("/api/v1/jobs").text)["jobs"] == []
