"""Attacks that must fail: from another origin, without a token, with the token of a viewer, by a camera address."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.added_sources import REVISION
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, Producer, gateway_process, until
from tests.system import private_server
from tests.viewer import events_of

VIEWER, OPERATOR, DOORMAN = "v" * 24, "o" * 24, "d" * 24
ELSEWHERE = {"Origin": "https://elsewhere.example"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    with private_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One for all attacks: none of them changes anything."""
    folder = tmp_path_factory.mktemp("guarded")
    tokens = folder / "tokens"
    tokens.write_text(f"viewer:{VIEWER}\noperator:{OPERATOR}\nviewer@door:{DOORMAN}\n")
    with (
        Producer(server.url),
        Producer(server.url, "door", order=1, answers_uploads=False),
        gateway_process(server.url, folder / "faces", tokens_file=str(tokens), save="false") as gateway,
    ):
        until(gateway.ready, 90, "readiness")
        yield gateway


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed_in(gateway: GatewayProcess, token: str) -> dict[str, str]:
    answer = httpx.post(f"{gateway.url}/api/v1/session", json={"token": token}, timeout=20)
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def refused(url: str, **headers: str) -> int:
    with pytest.raises(InvalidStatus) as raised:
        connect_socket(url, additional_headers=headers, open_timeout=20)
    return raised.value.response.status_code


def test_websockets_open_with_a_token_or_a_session_of_this_site_only(guarded: GatewayProcess):
    camera = guarded.socket_url.replace("/ws/emotions", "/ws/camera/tab")
    video = guarded.socket_url.replace("/ws/emotions", "/ws/video")
    session = signed_in(guarded, OPERATOR)
    for url in (guarded.socket_url, camera, video):
        assert refused(url) == 401
        assert refused(f"{url}?token={OPERATOR}") == 401
        assert refused(url, **bearer("w" * 24)) == 401
        for origin in (
            "https://elsewhere.example",
            "null",
            "http://127.0.0.1:1",
            f"https://127.0.0.1:{guarded.port}.x",
        ):
            assert refused(url, Origin=origin, **session) == 403
        assert refused(url, Host="elsewhere.example", **session) == 400
    assert refused(camera, **bearer(VIEWER)) == 403
    assert refused(camera, **bearer(DOORMAN)) == 403
    for headers in (session, bearer(VIEWER), session | {"Origin": guarded.url}):
        with connect_socket(guarded.socket_url, additional_headers=headers) as client:
            assert next(events_of(client, "reading"))


def test_a_token_for_one_source_gives_no_access_to_another(guarded: GatewayProcess):
    with connect_socket(f"{guarded.socket_url}?source=front", additional_headers=bearer(DOORMAN)) as client:
        hello = json.loads(client.recv(timeout=20))
        assert [state["source"] for state in hello["sources"]] == ["door"]
        assert set(hello["stats"]["sources"]) <= {"door"}
        client.send(json.dumps({"subscribe": {}}))
        sources = [next(events_of(client, "reading"))["source"] for _ in range(20)]
        assert set(sources) == {"door"}
    headers = bearer(DOORMAN)
    video = guarded.socket_url.replace("/ws/emotions", "/ws/video")
    with connect_socket(video, additional_headers=headers) as client:
        client.send(json.dumps({"watch": [{"source": "door"}]}))
        assert b'"source":"door"' in client.recv(timeout=20)
        client.send(json.dumps({"watch": [{"source": "door"}, {"source": "front"}]}))
        while isinstance(message := client.recv(timeout=20), bytes):
            assert b'"source":"front"' not in message
        assert json.loads(message)["error"]["code"] == "forbidden"
    assert guarded.get("/api/v1/sources/door/frame.jpg", headers=headers).status_code == 200
    for path in ("/api/v1/sources/front/frame.jpg", "/video_feed?source=front", "/api/v1/readings?source=front",
                 "/api/v1/faces", "/api/v1/jobs", "/emotion?source=front"):  # fmt: skip
        assert guarded.get(path, headers=headers).status_code == 403, path


def test_other_sites_and_viewers_cannot_change_anything(guarded: GatewayProcess, clients: Clients):
    session, url = signed_in(guarded, OPERATOR), guarded.url
    saved = guarded.saved()
    before = guarded.get("/api/v1/settings", headers=bearer(OPERATOR)).json()
    source = {"name": "more", "address": "demo"}
    for headers, status in (
        ({}, 401),
        (bearer(VIEWER), 403),
        (signed_in(guarded, VIEWER), 403),
        (session | ELSEWHERE, 403),
        (session | {"Origin": "null"}, 403),
        (session | {"Sec-Fetch-Site": "cross-site"}, 403),
        (session | {"Host": "elsewhere.example"}, 400),
        (bearer(OPERATOR) | ELSEWHERE, 403),
    ):
        with httpx.Client(base_url=url, headers=headers, timeout=20) as client:
            answers = [
                client.post("/save_current"),
                client.get("/save_current"),
                client.post("/api/v1/sources", json=source),
                client.patch("/api/v1/settings", json={"saving": True}),
                client.post("/api/v1/jobs", files={"video": b"x"}),
                client.delete("/api/v1/jobs/4f9d0c1be2a3"),
            ]
        assert {answer.status_code for answer in answers} == {status}, headers
    assert guarded.saved() == saved
    assert not clients.commands.exists(keys.JOBS)
    assert guarded.get("/api/v1/settings", headers=bearer(OPERATOR)).json() == before
    assert "more" not in guarded.get("/api/v1/sources", headers=bearer(OPERATOR)).text
    # A face is there to be saved only while one is shown, which on a busy machine may not be at once.
    until(lambda: httpx.post(f"{url}/save_current", headers=session, timeout=20).status_code == 200)
    assert len(guarded.saved()) == len(saved) + 1


def test_only_an_allowed_origin_may_read_responses(server: PrivateServer, tmp_path: Path):
    origin = "https://friend.example"
    with gateway_process(server.url, tmp_path / "faces", allowed_origins=origin, tokens=f"viewer:{VIEWER}") as gateway:
        until(lambda: gateway.log.exists() and "listens" in gateway.log.read_text(), 60)
        for requesting, granted in ((origin, origin), ("https://elsewhere.example", None), ("null", None)):
            answer = gateway.get("/api/v1/settings", headers=bearer(VIEWER) | {"Origin": requesting})
            assert answer.headers.get("access-control-allow-origin") == granted
            assert "access-control-allow-credentials" not in answer.headers


def test_every_response_has_security_headers(guarded: GatewayProcess):
    for path in ("/", "/sign-in", "/api/v1/sources", "/static/app.js", "/nowhere", "/healthz"):
        headers = guarded.get(path).headers
        assert "script-src" not in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers


def test_a_link_in_the_face_store_is_not_followed(guarded: GatewayProcess, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    folder = guarded.folder / "happy"
    folder.mkdir(parents=True, exist_ok=True)
    name = "happy_97.3_20260131_235959_000001.jpg"
    (folder / name).symlink_to(secret)
    answer = guarded.get(f"/api/v1/faces/happy/{name}", headers=bearer(OPERATOR))
    assert (answer.status_code, "root" in answer.text) == (404, False)
    httpx.delete(f"{guarded.url}/api/v1/faces/happy/{name}", headers=bearer(OPERATOR), timeout=20)
    assert secret.read_text() == "root:x:0:0"


def test_redis_cannot_be_added_as_a_camera(guarded: GatewayProcess, clients: Clients):
    with socket.create_server(("127.0.0.1", 0)) as pretended:
        port = pretended.getsockname()[1]
        for host in ("127.0.0.1", "127.1", "localhost", "[::ffff:127.0.0.1]"):
            json_ = {"name": "door2", "address": f"http://{host}:{port}/"}
            answer = httpx.post(f"{guarded.url}/api/v1/sources", json=json_, headers=bearer(OPERATOR), timeout=20)
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "forbidden_host")
    assert set(clients.commands.hkeys(keys.ADDED_SOURCES)) <= {REVISION}


def test_no_token_is_ever_logged_or_returned(guarded: GatewayProcess):
    for token in (VIEWER, OPERATOR, DOORMAN):
        signed_in(guarded, token)
        returned = (
            guarded.get("/openapi.json", headers=bearer(token)).text + guarded.get("/emotion?token=" + token).text
        )
        assert token not in returned
    assert guarded.get("/emotion", headers=bearer("s" * 30)).status_code == 401
    log = guarded.log.read_text()
    assert not any(secret in log for secret in (VIEWER, OPERATOR, DOORMAN, "s" * 30))
    assert "wrong token refused" in log


def test_refused_requests_do_not_fill_the_log(guarded: GatewayProcess):
    before = guarded.log.stat().st_size
    audit = guarded.folder.with_suffix(".audit.jsonl")
    audited = audit.stat().st_size if audit.exists() else 0
    programs = httpx.Client(base_url=guarded.url, timeout=20)
    for _ in range(30):
        assert refused(guarded.socket_url) == 401
        assert refused(guarded.socket_url, Origin="https://elsewhere.example") == 403
        assert refused(guarded.socket_url.replace("/ws/emotions", "/ws/camera/tab"), **bearer(VIEWER)) == 403
        programs.post("/api/v1/session", json={"token": "w" * 24})
        programs.post(f"/static/{'x' * 150}")
        assert programs.delete("/api/v1/session").status_code == 204
        with socket.create_connection(("127.0.0.1", guarded.port), timeout=20) as connection:
            connection.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
            assert b"400" in connection.recv(65536)
    programs.close()
    grown = guarded.log.read_bytes()[before:].decode()
    assert len(grown.splitlines()) < 45, grown
    assert "without completing handshake" not in grown
    added = audit.read_text()[audited:].splitlines() if audit.exists() else []
    assert sum('"role": "nobody"' in line for line in added) <= 40
    assert sum("/ws/camera/tab" in line for line in added) == 30, "what a viewer tried is all there"
