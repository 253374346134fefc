"""The limits on bodies, of every route and of uploads."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api_gateway.app import UPLOADS, create_app
from api_gateway.connections.errors import BodyTooSlow
from api_gateway.connections.request_bodies import BODY_LIMIT, PacedBody
from api_gateway.gateway import Gateway
from api_gateway.settings import GatewaySettings
from tests.unit.api_gateway.test_app import error_of, response_to

FACE = "happy_97.3_20260131_235959_000001.jpg"
NAMES = {"name": FACE, "emotion": "happy", "job": "4f9d0c1be2a3", "file": "readings.csv", "id": "4f9d0c1be2a3"}


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=tmp_path / "faces")))


def chunked(size: int) -> Iterable[bytes]:
    async def parts():
        for _ in range(size // 1024):
            yield b" " * 1024

    return parts()


def test_no_route_reads_a_large_body_except_those_for_uploads(app: FastAPI):
    routes = [(method, path.format(**NAMES)) for path, methods in app.openapi()["paths"].items() for method in methods]
    routes += [("post", "/nowhere"), ("put", "/emotion"), ("post", "/static/app.js"), ("post", "/"), ("get", "/")]
    assert len(routes) > 30
    for method, path in routes:
        if method == "post" and path in UPLOADS:
            continue
        for content in (b" " * (BODY_LIMIT + 1), chunked(2 * BODY_LIMIT)):
            kind = {"content-type": "application/json"}
            answer = response_to(app, method.upper(), path, content=content, headers=kind)
            assert (answer.status_code, error_of(answer)) == (413, "too_large"), (method, path)


def test_a_body_within_the_limit_reaches_its_route(app: FastAPI):
    kind = {"content-type": "application/json"}
    body = b'{"name": "door", "address": "demo"}'.ljust(BODY_LIMIT)
    for content in (body, chunked(BODY_LIMIT)):
        answer = response_to(app, "POST", "/api/v1/sources", content=content, headers=kind)
        assert answer.status_code in {422, 503}  # Redis is not there


def test_uploads_have_the_limits_of_their_settings():
    settings = GatewaySettings(redis_url="redis://127.0.0.1:1/0", upload_limit=2048, jobs_upload_limit=2048)
    app = create_app(Gateway(settings))
    kind = {"content-type": "multipart/form-data; boundary=b"}
    for path in UPLOADS:
        answer = response_to(app, "POST", path, headers=kind, content=b" " * 50_000)
        assert (answer.status_code, error_of(answer)) == (413, "too_large")
    answer = response_to(app, "POST", "/api/v1/predict", headers=kind, content=chunked(50_000))
    assert isinstance(answer, httpx.Response)
    assert answer.status_code in {400, 413}


def test_an_upload_may_be_as_slow_as_the_least_rate_but_not_slower_and_not_silent():
    async def received(pause: float, size: int, parts: int, rate: float = 1000.0) -> int:
        left = parts

        async def receive() -> dict:
            nonlocal left
            await asyncio.sleep(pause)
            left -= 1
            return {"type": "http.request", "body": bytes(size), "more_body": left > 0}

        body = PacedBody(receive, rate, patience=0.5)
        for _ in range(parts):
            await body.receive()
        return parts * size

    assert asyncio.run(received(0.05, 1000, 30)) == 30_000
    with pytest.raises(BodyTooSlow):
        asyncio.run(received(0.1, 1, 100))
    with pytest.raises(BodyTooSlow):
        asyncio.run(received(3, 1_000_000, 2))


def test_the_time_that_the_server_needs_for_an_upload_does_not_count():
    async def scene() -> None:
        async def receive() -> dict:
            return {"type": "http.request", "body": b"x", "more_body": True}

        body = PacedBody(receive, rate=1e9, patience=0.2)
        for _ in range(4):
            await body.receive()
            await asyncio.sleep(0.1)

    asyncio.run(scene())
