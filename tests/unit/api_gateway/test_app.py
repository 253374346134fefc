"""The application without Redis: nothing here may need it, and all errors have one shape."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api_gateway.app import create_app
from api_gateway.faces.filename import FaceName
from api_gateway.gateway import Gateway
from api_gateway.settings import GatewaySettings
from contract.messages import Reading, SourceStatus
from postprocessing.reorder_buffer import WAIT_MS
from tests.stage import HAPPY, SAD, UNSURE, reading

PORT = 5000


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=tmp_path / "faces")))


def response_to(app: FastAPI, method: str, path: str, **more) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://localhost:{PORT}") as client:
            return await client.request(method, path, **more)

    return asyncio.run(send())


def error_of(answer: httpx.Response) -> str:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["message"]
    return body["error"]["code"]


def with_source(app: FastAPI, name: str = "front", order: int = 0, kind: str = "camera") -> None:
    registry = app.state.gateway.registry
    now = app.state.gateway.clock.now_ms()
    status = SourceStatus(name=name, kind=kind, order=order, state="ONLINE", since_ms=now, seen_ms=now)
    registry._sources[name] = status  # as a poll of Redis would have stored it


def with_readings(app: FastAPI, *readings: Reading) -> None:
    gateway = app.state.gateway
    now = gateway.clock.now_ms()
    sources = {one.id.source for one in readings}
    for source in sources:
        gateway.processor.follow(source, None)
    for one in readings:
        gateway.processor.process(one.id.source, b"%d-0" % now, one)
    for source in sources:
        gateway.processor.advance_time(source, now + WAIT_MS + 1)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/static/nowhere.js", 404, "not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("DELETE", "/emotion", 405, "method_not_allowed"),
        ("GET", "/emotion?source=nobody", 404, "unknown_source"),
        ("GET", "/video_feed?source=nobody", 404, "unknown_source"),
        ("GET", "/video_feed?width=0", 422, "invalid_request"),
        ("GET", "/video_feed?fps=0", 422, "invalid_request"),
        ("GET", "/video_feed?fps=nan", 422, "invalid_request"),
        ("GET", "/video_feed?blur=little", 422, "invalid_request"),
        ("GET", "/api/v1/sources/nobody/frame.jpg", 404, "unknown_source"),
        ("GET", "/api/v1/sources/nobody", 404, "unknown_source"),
        ("GET", "/api/v1/faces?limit=-1", 422, "invalid_request"),
        ("GET", "/api/v1/faces?limit=1000000000", 422, "invalid_request"),
        ("GET", "/api/v1/faces?before=nonsense", 404, "unknown_face"),
        ("GET", "/api/v1/faces/happy/nonsense.jpg", 404, "unknown_face"),
        ("GET", "/api/v1/faces/..%2f..%2fetc/passwd", 404, "not_found"),
        ("DELETE", "/api/v1/faces/happy/happy_97.3_20260131_235959_000001.jpg", 404, "unknown_face"),
        ("POST", "/save_current", 404, "no_face"),
        ("GET", "/readyz", 503, "not_ready"),
        ("POST", "/api/v1/predict", 415, "unsupported_media_type"),
    ],
)
def test_every_error_has_the_same_shape(app: FastAPI, method: str, path: str, status: int, code: str):
    answer = response_to(app, method, path)
    assert (answer.status_code, error_of(answer)) == (status, code)


def test_the_error_for_an_unknown_source_lists_the_available_sources(app: FastAPI):
    with_source(app, "front")
    with_source(app, "door", 1)
    assert "there are: front, door" in response_to(app, "GET", "/emotion?source=nobody").json()["error"]["message"]


def test_the_response_to_an_unexpected_error_shows_no_details(app: FastAPI):
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret")

    answer = response_to(app, "GET", "/broken")
    assert (answer.status_code, error_of(answer)) == (500, "internal_error")
    assert "secret" not in answer.text


def test_without_a_face_emotion_returns_null_with_200(app: FastAPI):
    assert response_to(app, "GET", "/emotion").json() == {"emotion": None, "confidence": 0.0}
    with_source(app)
    answer = response_to(app, "GET", "/emotion?source=front")
    assert (answer.status_code, answer.json()) == (200, {"emotion": None, "confidence": 0.0})


def test_emotion_is_that_of_the_largest_face_of_the_first_camera(app: FastAPI):
    with_source(app, "uploads", -1, "inbox")
    with_source(app, "front", 1)
    with_source(app, "door", 0)
    now = app.state.gateway.clock.now_ms()
    with_readings(
        app,
        reading("door", 1, track=1, probabilities=SAD, box=(0.0, 0.0, 90.0, 90.0), captured_ms=now),
        reading("door", 1, track=2, index=1, probabilities=HAPPY, box=(0.0, 0.0, 50.0, 50.0), captured_ms=now),
        reading("front", 1, probabilities=HAPPY, box=(0.0, 0.0, 200.0, 200.0), captured_ms=now),
    )
    assert response_to(app, "GET", "/emotion").json() == {"emotion": "sad", "confidence": 90.0}
    assert response_to(app, "GET", "/emotion?source=front").json() == {"emotion": "happy", "confidence": 95.0}


def test_emotion_returns_uncertain_when_the_model_is_uncertain(app: FastAPI):
    with_source(app)
    with_readings(app, reading(probabilities=UNSURE, captured_ms=app.state.gateway.clock.now_ms()))
    assert response_to(app, "GET", "/emotion").json() == {"emotion": "uncertain", "confidence": 45.0}


def test_a_face_that_was_seen_long_ago_does_not_count(app: FastAPI):
    with_source(app)
    old = app.state.gateway.clock.now_ms() - 2500
    with_readings(app, reading(captured_ms=old))
    assert response_to(app, "GET", "/emotion").json()["emotion"] is None


def test_a_repeated_reading_counts_once(app: FastAPI):
    with_source(app)
    with_readings(app, *[reading(captured_ms=app.state.gateway.clock.now_ms())] * 3)
    figures = response_to(app, "GET", "/metrics").text
    assert 'emotii_gateway_readings_total{source="front"} 1.0' in figures
    assert "emotii_gateway_repeated_readings_total 2.0" in figures


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:9", "[::1]:5000"])
def test_requests_with_our_own_host_names_are_served(app: FastAPI, host: str):
    assert response_to(app, "GET", "/emotion", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "localhost.evil.example", "", "0.0.0.0"])
def test_a_request_with_another_host_name_is_refused(app: FastAPI, host: str):
    answer = response_to(app, "GET", "/emotion", headers={"host": host})
    assert (answer.status_code, error_of(answer)) == (400, "unknown_host")


@pytest.mark.parametrize("host", ["10.1.2.3:5000", "[2001:db8::7]:5000", "gateway:5000", "localhost"])
def test_probes_are_served_by_address_and_within_a_network(app: FastAPI, host: str):
    for path, status in (("/healthz", 200), ("/readyz", 503), ("/metrics", 200)):
        assert response_to(app, "GET", path, headers={"host": host}).status_code == status


def test_probes_that_say_more_than_ok_are_not_served_under_a_name_that_somebody_else_may_own(app: FastAPI):
    for host in ("elsewhere.example", "127.0.0.1.elsewhere.example:5000", "elsewhere.example."):
        assert response_to(app, "GET", "/healthz", headers={"host": host}).status_code == 200
        for path in ("/readyz", "/metrics"):
            answer = response_to(app, "GET", path, headers={"host": host})
            assert (answer.status_code, error_of(answer)) == (400, "unknown_host")


def test_a_refused_page_learns_which_origin_and_host_were_seen_and_what_to_set(app: FastAPI):
    headers = {"host": "localhost", "origin": "https://localhost:8443"}
    message = response_to(app, "POST", "/save_current", headers=headers).json()["error"]["message"]
    for part in (
        "'https://localhost:8443'",
        "'localhost'",
        "proxy_set_header Host $http_host",
        "EMOTII_ALLOWED_ORIGINS=https://localhost:8443",
    ):
        assert part in message
    odd = {"host": "localhost", "origin": "https://a\r\nb" + "x" * 1000}
    assert len(response_to(app, "POST", "/save_current", headers=odd).json()["error"]["message"]) < 600
    without = response_to(app, "POST", "/save_current", headers={"sec-fetch-site": "cross-site"})
    assert "EMOTII_ALLOWED_ORIGINS" not in without.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/save_current"),
        ("POST", "/save_current"),
        ("POST", "/api/v1/predict"),
        ("DELETE", "/api/v1/faces/happy/happy_97.3_20260131_235959_000001.jpg"),
        ("PATCH", "/api/v1/faces/happy/happy_97.3_20260131_235959_000001.jpg"),
    ],
)
@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_other_sites_are_refused_requests_that_change_something(
    app: FastAPI, method: str, path: str, headers: dict[str, str]
):
    answer = response_to(app, method, path, headers=headers)
    assert (answer.status_code, error_of(answer)) == (403, "foreign_origin")


def test_every_response_has_security_headers(app: FastAPI):
    for path in ("/", "/emotion", "/nowhere"):
        headers = response_to(app, "GET", path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_has_nothing_inline_and_contacts_no_other_host(app: FastAPI):
    page = response_to(app, "GET", "/").text
    assert "style=" not in page
    assert "<style" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/')


def test_a_head_request_for_the_video_returns_at_once(app: FastAPI):
    answer = response_to(app, "HEAD", "/video_feed")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"


def test_an_upload_without_redis_returns_503(app: FastAPI):
    answer = response_to(app, "POST", "/api/v1/predict", files={"picture": b"bytes"})
    assert (answer.status_code, error_of(answer)) == (503, "redis_unavailable")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"files": {"picture": b"x" * 3000}}, 413, "too_large"),
        ({"content": b"x" * 3000, "headers": {"content-type": "image/jpeg"}}, 413, "too_large"),
        ({"files": {"photo": b"x"}}, 422, "invalid_request"),
        ({"files": {"picture": b""}}, 422, "unreadable_picture"),
        ({"data": {"picture": "text"}, "files": {"other": b"x"}}, 422, "invalid_request"),
        ({"content": b"", "headers": {"content-type": "image/png"}}, 422, "unreadable_picture"),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad_request"),
        ({"content": b"{}", "headers": {"content-type": "application/json"}}, 415, "unsupported_media_type"),
    ],
)
def test_an_invalid_upload_is_refused(tmp_path: Path, body: dict, status: int, code: str):
    small = create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", upload_limit=2048)))
    answer = response_to(small, "POST", "/api/v1/predict", **body)
    assert (answer.status_code, error_of(answer)) == (status, code)


def test_a_body_without_a_content_length_is_cut_off_at_the_limit(app: FastAPI):
    small = create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", upload_limit=2048)))

    async def endless():
        while True:
            yield b"x" * 1000

    answer = response_to(small, "POST", "/api/v1/predict", content=endless(), headers={"content-type": "image/jpeg"})
    assert (answer.status_code, error_of(answer)) == (413, "too_large")


def test_saved_faces_are_listed_by_pages_fetched_and_deleted(app: FastAPI):
    store = app.state.gateway.faces
    names = [
        store.save(b"jpeg %d" % second, FaceName("happy", 90.0, datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC)))
        for second in range(5)
    ]
    found, before = [], ""
    while before is not None:
        page = response_to(app, "GET", f"/api/v1/faces?limit=2{before and f'&before={before}'}").json()
        assert page["total"] == 5
        found += page["faces"]
        before = page["next"]
    assert [face["name"] for face in found] == [str(name) for name in reversed(names)]
    url = found[0]["url"]
    picture = response_to(app, "GET", url)
    assert (picture.content, picture.headers["content-type"]) == (b"jpeg 4", "image/jpeg")
    assert response_to(app, "DELETE", url).status_code == 204
    assert response_to(app, "GET", url).status_code == 404
    assert response_to(app, "GET", "/api/v1/faces").json()["total"] == 4
    assert response_to(app, "GET", "/api/v1/faces?emotion=..").json()["total"] == 0


def test_the_label_that_a_person_gives_a_saved_face_is_in_the_list(app: FastAPI):
    store = app.state.gateway.faces
    face = store.save(b"jpeg", FaceName("happy", 90.0, datetime(2026, 1, 1, tzinfo=UTC)))
    store.save(b"other", FaceName("sad", 90.0, datetime(2026, 1, 1, tzinfo=UTC)))
    store.save(b"unsure", FaceName("uncertain", 40.0, datetime(2026, 1, 1, tzinfo=UTC)))
    assert response_to(app, "GET", "/api/v1/emotions").json() == {"emotions": ["happy", "sad"]}
    answer = response_to(app, "PATCH", f"/api/v1/faces/happy/{face}", json={"emotion": "sad"})
    assert answer.status_code == 200
    assert (answer.json()["emotion"], answer.json()["labelled"], answer.json()["was"]) == ("sad", True, "happy")
    listed = response_to(app, "GET", "/api/v1/faces?emotion=sad").json()["faces"]
    assert answer.json() in listed
    assert {one["labelled"] for one in listed} == {True, False}
    assert response_to(app, "GET", answer.json()["url"]).content == b"jpeg"
    again = response_to(app, "PATCH", f"/api/v1/faces/happy/{face}", json={"emotion": "sad"})
    assert (again.status_code, error_of(again)) == (404, "unknown_face")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"emotion": "joy"}, "unknown_emotion"),
        ({"emotion": "../.."}, "unknown_emotion"),
        ({"emotion": "uncertain"}, "unknown_emotion"),
        ({"emotion": 1}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_a_label_that_no_model_has_is_refused(app: FastAPI, body: dict, code: str):
    face = app.state.gateway.faces.save(b"jpeg", FaceName("happy", 90.0, datetime(2026, 1, 1, tzinfo=UTC)))
    answer = response_to(app, "PATCH", f"/api/v1/faces/happy/{face}", json=body)
    assert (answer.status_code, error_of(answer)) == (422, code)
    assert app.state.gateway.faces.newest()[0] == [face]


GOOD = {"200", "201", "202", "204"}


def has_example(content: dict, described: dict) -> bool:
    """Whether a content has an example, or is a picture."""
    schema = content.get("schema", {})
    named = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return "example" in content or "example" in named or schema.get("format") == "binary" or not schema


def test_openapi_names_the_error_shape_for_every_route_and_has_examples(app: FastAPI):
    described = response_to(app, "GET", "/openapi.json").json()
    assert "HTTPValidationError" not in described["components"]["schemas"]
    assert described["components"]["schemas"]["ErrorResponse"]["example"]["error"]["code"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert "4XX" in operation["responses"], (method, path)
            answer = next(answer for code, answer in operation["responses"].items() if code in GOOD)
            for content in answer.get("content", {}).values():
                assert has_example(content, described), (method, path)
            for parameter in operation.get("parameters", []):
                assert parameter["in"] == "query" or parameter["schema"]["examples"], (method, path, parameter["name"])
    picture = described["paths"]["/api/v1/predict"]["post"]["responses"]
    assert {"413", "422", "503", "504"} <= picture.keys()
    assert picture["422"]["content"]["application/json"]["example"]["error"]["code"] == "unclassifiable_face"
    assert "503" in described["paths"]["/readyz"]["get"]["responses"]
    assert "/save_current" in described["paths"]
    assert "get" not in described["paths"]["/save_current"]


def test_a_background_task_that_fails_ends_the_process_instead_of_dying_silently(tmp_path: Path):
    failed = asyncio.Event()
    gateway = Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=tmp_path, history=timedelta(0)))
    app = create_app(gateway, failed.set)

    async def broken() -> None:
        raise RuntimeError("a mistake of ours")

    gateway.hub.tick = broken

    async def scene() -> None:
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(failed.wait(), 5)

    asyncio.run(scene())
    assert failed.is_set()


def test_a_task_that_ends_without_an_error_is_no_failure(tmp_path: Path):
    gateway = Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=tmp_path, history=timedelta(0)))
    failed = asyncio.Event()
    app = create_app(gateway, failed.set)

    async def scene() -> None:
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0.05)

    asyncio.run(scene())
    assert not failed.is_set()
