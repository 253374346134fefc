"""The audit log: what changes something is written down, and nothing of what was seen."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from api_gateway.security.access import SCOPE_KEY
from api_gateway.security.audit import Audit, AuditLog, note
from api_gateway.security.tokens import EVERYBODY

Send = Callable[..., httpx.Response]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "audit.jsonl"


@pytest.fixture
def send(log: Path) -> Send:
    app = FastAPI()

    @app.post("/things/{name}")
    async def change(request: Request, name: str) -> None:
        note(request, saving=True)

    @app.get("/save_current")
    @app.get("/things")
    @app.post("/api/v1/predict")
    async def read() -> None:
        return None

    app.add_middleware(Audit, log=AuditLog(log))

    async def admitted(scope, receive, send):
        scope[SCOPE_KEY] = EVERYBODY
        await app(scope, receive, send)

    def send(method: str, path: str, **more: object) -> httpx.Response:
        async def request_it() -> httpx.Response:
            transport = httpx.ASGITransport(admitted)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, path, **more)

        return asyncio.run(request_it())

    return send


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_change_is_a_line_with_role_outcome_and_what_the_route_adds(send: Send, log: Path):
    send("POST", "/things/door", json={"address": "rtsp://user:secret@camera"})
    (line,) = lines(log)
    assert line.pop("at").endswith("Z")
    assert line == {"what": "POST /things/door", "role": "operator", "status": 200, "saving": True}
    assert log.stat().st_mode & 0o077 == 0


def test_refused_requests_are_logged_too(send: Send, log: Path):
    send("DELETE", "/things/door")
    assert [(line["what"], line["status"]) for line in lines(log)] == [("DELETE /things/door", 405)]


def test_reading_is_not_logged_but_saving_by_get_is(send: Send, log: Path):
    send("GET", "/things")
    send("POST", "/api/v1/predict")
    assert lines(log) == []
    send("GET", "/save_current")
    assert lines(log)[0]["what"] == "GET /save_current"


def test_a_line_break_in_a_path_makes_no_second_line(send: Send, log: Path):
    send("POST", "/things/a%0a%7b%22what%22:%22forged%22%7d")
    assert len(lines(log)) == 1


def test_a_full_log_is_rotated_once(tmp_path: Path):
    log = AuditLog(tmp_path / "audit.jsonl", limit=200)
    for number in range(20):
        log.write(what="x" * 50, number=number)
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"audit.jsonl", "audit.jsonl.1"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 600


def test_a_log_that_cannot_be_written_delays_no_request(tmp_path: Path):
    (tmp_path / "file").write_text("")
    log = AuditLog(tmp_path / "file" / "audit.jsonl")
    log.write(what="one")
    log.write(what="two")


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path):
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    AuditLog(tmp_path / "audit.jsonl").write(what="one")
    assert not (tmp_path / "elsewhere").exists()
