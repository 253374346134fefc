"""Permissions by tokens, sessions, roles and sources, tested on the whole application without Redis."""

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from itsdangerous import TimestampSigner

from api_gateway import routes as topics
from api_gateway.app import create_app
from api_gateway.gateway import Gateway
from api_gateway.security import sessions
from api_gateway.security.access import OPEN, OPEN_BELOW, _operator, _source_viewer, _viewer
from api_gateway.security.rate_limit import ALLOWED, WINDOW_SECONDS, AttemptLimiter
from api_gateway.security.tokens import Grant, Token, find, parse_all
from api_gateway.settings import GatewaySettings
from api_gateway.websocket.subscription import EVERYTHING, Subscription
from tests.unit.api_gateway.test_app import error_of, with_source

VIEWER, OPERATOR, DOORMAN = "v" * 24, "o" * 24, "d" * 24
TOKENS = f"viewer:{VIEWER},operator:{OPERATOR},viewer@door+hall:{DOORMAN}"
FACE = "/api/v1/faces/happy/happy_97.3_20260131_235959_000001.jpg"


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    faces = tmp_path / "faces"
    app = create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=faces, tokens=TOKENS)))
    with_source(app, "front", 0)
    with_source(app, "door", 1)
    return app


def response_to(app: FastAPI, method: str, path: str, token: str | None = None, **more) -> httpx.Response:
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:5000") as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(send())


def signed_in(app: FastAPI, token: str = OPERATOR, **headers: str) -> httpx.Response:
    return response_to(app, "POST", "/api/v1/session", json={"token": token}, headers=headers)


def cookie_of(answer: httpx.Response) -> str:
    return SimpleCookie(answer.headers["set-cookie"])[sessions.COOKIE].value


LOOKING = [
    ("GET", "/emotion", 200),
    ("GET", "/api/v1/sources", 200),
    ("GET", "/api/v1/sources/front", 200),
    ("GET", "/api/v1/settings", 200),
    ("GET", "/api/v1/faces", 200),
    ("GET", FACE, 404),
    ("GET", "/metrics", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/asyncapi.json", 200),
    ("HEAD", "/video_feed", 200),
    ("POST", "/api/v1/predict", 415),
]
CHANGING = [
    ("POST", "/save_current"),
    ("GET", "/save_current"),
    ("POST", "/api/v1/sources"),
    ("DELETE", "/api/v1/sources/front"),
    ("PATCH", "/api/v1/settings"),
    ("DELETE", FACE),
    ("PATCH", FACE),
    ("POST", "/api/v1/jobs"),
    ("DELETE", "/api/v1/jobs/4f9d0c1be2a3"),
]


@pytest.mark.parametrize(("method", "path"), [*((one[0], one[1]) for one in LOOKING), *CHANGING])
def test_without_a_token_nothing_is_returned_and_nothing_is_changed(app: FastAPI, method: str, path: str):
    answer = response_to(app, method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert method == "HEAD" or error_of(answer) == "unauthorized"


@pytest.mark.parametrize(("method", "path", "status"), LOOKING)
def test_a_viewer_sees_everything(app: FastAPI, method: str, path: str, status: int):
    assert response_to(app, method, path, VIEWER).status_code == status


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_a_viewer_changes_nothing_and_an_operator_may(app: FastAPI, method: str, path: str):
    refused = response_to(app, method, path, VIEWER, json={})
    assert (refused.status_code, error_of(refused)) == (403, "forbidden")
    assert response_to(app, method, path, OPERATOR, json={}).status_code not in {401, 403}


def routes() -> Iterator[tuple[str, set[str], set[object]]]:
    """Path, methods and required permission of every route of every topic."""

    def demanded(dependant: Dependant) -> Iterator[object]:
        yield dependant.call
        for inner in dependant.dependencies:
            yield from demanded(inner)

    for module in pkgutil.iter_modules(topics.__path__):
        router = getattr(importlib.import_module(f"{topics.__name__}.{module.name}"), "router", None)
        for route in router.routes if router else ():
            yield route.path, getattr(route, "methods", {"WEBSOCKET"}), set(demanded(route.dependant))


def test_every_route_states_the_role_that_it_requires():
    silent = {path for path, _, demanded in routes() if not {_viewer, _operator, _source_viewer} & demanded}
    assert silent == {"/healthz", "/readyz", "/api/v1/session"}


def test_the_document_states_which_routes_need_a_token():
    described = create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0"))).openapi()
    assert set(described["components"]["securitySchemes"]) == {"token", "session"}
    guarded = {
        path for path, methods in described["paths"].items() if all("security" in one for one in methods.values())
    }
    assert set(described["paths"]) - guarded == {"/healthz", "/readyz", "/api/v1/session"}


def test_every_route_that_changes_something_requires_an_operator():
    writing = [(path, methods - {"GET", "HEAD"}, _operator in demanded) for path, methods, demanded in routes()]
    assert sum(operator for _, methods, operator in writing if methods) > 8
    assert {path for path, methods, operator in writing if methods and not operator} == {
        "/api/v1/predict",  # keeps nothing
        "/api/v1/session",
        "/ws/emotions",  # events
        "/ws/video",
    }


@pytest.mark.parametrize(
    "path", ["/healthz", "/sign-in", "/static/sign-in/sign-in.js", "/static/shared/style.css", "/favicon.ico"]
)
def test_the_paths_that_signing_in_needs_are_open_to_everybody(app: FastAPI, path: str):
    assert response_to(app, "GET", path).status_code == 200
    assert path in OPEN or path.startswith(OPEN_BELOW)


@pytest.mark.parametrize(
    "path", ["/static/../metrics", "/static/%2e%2e/metrics", "/static//../api/v1/faces", "//metrics"]
)
def test_no_spelling_of_a_path_bypasses_the_guard(app: FastAPI, path: str):
    assert response_to(app, "GET", path).status_code in {401, 404}


@pytest.mark.parametrize("path", ["/", "/camera"])
def test_a_browser_is_redirected_to_the_sign_in_page(app: FastAPI, path: str):
    answer = response_to(app, "GET", path, headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?page={path}")
    assert response_to(app, "GET", path).status_code == 401


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_can_use(app: FastAPI):
    answer = signed_in(app, VIEWER)
    assert (answer.status_code, answer.json()) == (200, {"role": "viewer", "sources": None, "tokens": True})
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"))
    assert "secure" not in cookie
    assert "secure" in signed_in(app, Origin="https://localhost:5000").headers["set-cookie"].lower()
    assert VIEWER not in answer.text + str(answer.headers)
    assert (
        response_to(app, "GET", "/emotion", headers={"Cookie": f"{sessions.COOKIE}={cookie_of(answer)}"}).status_code
        == 200
    )
    refused = response_to(app, "POST", "/save_current", headers={"Cookie": f"{sessions.COOKIE}={cookie_of(answer)}"})
    assert refused.status_code == 403


def test_signing_out_ends_the_session(app: FastAPI):
    answer = response_to(app, "DELETE", "/api/v1/session")
    assert answer.status_code == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()


def test_an_expired_foreign_or_invented_session_is_refused(app: FastAPI):
    good = cookie_of(signed_in(app))
    old = TimestampSigner(OPERATOR, salt=sessions.SALT, digest_method=sessions.sha256)
    old.get_timestamp = lambda: 1_000_000_000
    foreign = sessions.begin(Token(Grant("operator"), "x" * 24))
    other_salt = TimestampSigner(OPERATOR, digest_method=sessions.sha256).sign("in").decode()
    for value in (
        old.sign("in").decode(),
        foreign,
        other_salt,
        good[:-1],
        good + "x",
        "",
        "in",
        ".",
        OPERATOR,
        "in.x.y",
    ):
        answer = response_to(app, "GET", "/emotion", headers={"Cookie": f"{sessions.COOKIE}={value}"})
        assert answer.status_code == 401, value


def test_a_session_ends_with_its_token():
    token = Token(Grant("viewer"), VIEWER)
    value = sessions.begin(token)
    assert sessions.token_of([token], value, timedelta(hours=1)) == token
    assert sessions.token_of([Token(Grant("viewer"), OPERATOR)], value, timedelta(hours=1)) is None


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer", "Bearer ", f"Token {OPERATOR}", OPERATOR, "Bearer \xff"])
def test_another_authorization_scheme_is_refused(app: FastAPI, header: str):
    assert response_to(app, "GET", "/emotion", headers={"Authorization": header.encode("latin-1")}).status_code == 401


def test_a_token_in_the_address_is_not_accepted(app: FastAPI):
    assert response_to(app, "GET", f"/emotion?token={OPERATOR}&access_token={OPERATOR}").status_code == 401


def test_wrong_tokens_are_slowed_down_and_right_ones_never(app: FastAPI):
    cookie = {"Cookie": f"{sessions.COOKIE}={cookie_of(signed_in(app))}"}
    for _ in range(ALLOWED):
        assert error_of(signed_in(app, "w" * 24)) == "wrong_token"
    for refused in (signed_in(app, "w" * 24), response_to(app, "GET", "/emotion", "w" * 24)):
        assert (refused.status_code, error_of(refused)) == (429, "too_many_attempts")
        assert 0 < int(refused.headers["retry-after"]) <= WINDOW_SECONDS
    assert response_to(app, "GET", "/emotion", headers=cookie).status_code == 200
    assert response_to(app, "GET", "/emotion", VIEWER).status_code == 200
    assert signed_in(app, OPERATOR).status_code == 200


def test_a_client_may_try_again_after_waiting_and_other_clients_need_not_wait():
    now = 0.0
    attempts = AttemptLimiter(monotonic=lambda: now)
    for _ in range(ALLOWED):
        assert attempts.wait("here") == 0
        attempts.count("here")
    assert attempts.wait("here") == WINDOW_SECONDS
    assert attempts.wait("there") == 0
    now = WINDOW_SECONDS
    assert attempts.wait("here") == 0
    attempts.count("here")
    assert attempts.wait("here") == 0, "nine of them are long ago"


def test_attempts_from_many_addresses_take_bounded_memory():
    attempts = AttemptLimiter()
    for number in range(20_000):
        attempts.count(str(number))
    assert len(attempts._failed) == 10_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/emotion", 200),
        ("GET", "/emotion?source=door", 200),
        ("GET", "/emotion?source=front", 403),
        ("GET", "/emotion?source=nobody", 403),
        ("GET", "/emotion?source=hall", 404),
        ("HEAD", "/video_feed", 200),
        ("HEAD", "/video_feed?source=front", 403),
        ("GET", "/api/v1/sources/door", 200),
        ("GET", "/api/v1/sources/front", 403),
        ("GET", "/api/v1/sources/front/frame.jpg", 403),
        ("GET", "/api/v1/readings", 403),
        ("GET", "/api/v1/readings?source=front", 403),
        ("GET", "/api/v1/episodes?source=front&format=csv", 403),
        ("GET", "/api/v1/faces", 403),
        ("GET", FACE, 403),
        ("GET", "/api/v1/jobs", 403),
        ("GET", "/api/v1/jobs/4f9d0c1be2a3/readings.csv", 403),
        ("GET", "/metrics", 403),
        ("POST", "/save_current?source=door", 403),
    ],
)
def test_a_viewer_of_single_sources_sees_nothing_of_the_others(app: FastAPI, method: str, path: str, status: int):
    answer = response_to(app, method, path, DOORMAN)
    assert answer.status_code == status
    assert "front" not in answer.text.replace("source 'front'", "")  # named only where the request names it


def test_a_viewer_of_single_sources_gets_only_these_in_the_list(app: FastAPI):
    listed = response_to(app, "GET", "/api/v1/sources", DOORMAN).json()["sources"]
    assert [one["name"] for one in listed] == ["door"]


def test_a_viewer_of_single_sources_receives_only_their_events_with_any_subscription():
    seen = frozenset({"door"})
    assert EVERYTHING.within(seen).sources == seen
    assert EVERYTHING.within(None) is EVERYTHING
    assert Subscription(sources=frozenset({"front"})).within(seen).sources == frozenset()
    assert Subscription(sources=frozenset({"front", "door"})).within(seen).sources == seen
    assert EVERYTHING.within(seen).kinds == {"reading", "episode", "state"}
    assert Subscription(kinds=frozenset({"stats"})).within(seen).kinds == frozenset()


def test_without_tokens_everybody_is_an_operator(tmp_path: Path):
    app = create_app(Gateway(GatewaySettings(redis_url="redis://127.0.0.1:1/0", saved_faces=tmp_path)))
    assert response_to(app, "GET", "/api/v1/session").json() == {"role": "operator", "sources": None, "tokens": False}
    assert error_of(signed_in(app)) == "no_tokens"
    assert response_to(app, "POST", "/save_current").status_code == 404


def test_tokens_are_read_with_their_roles_and_matched_only_completely():
    tokens = parse_all(f"# a comment, with a comma\nviewer:{VIEWER}\n\noperator:{OPERATOR}, viewer@a+b:{DOORMAN}")
    assert [token.grant for token in tokens] == [
        Grant("viewer"),
        Grant("operator"),
        Grant("viewer", frozenset({"a", "b"})),
    ]
    assert find(tokens, OPERATOR) == tokens[1]
    for wrong in ("", "o", OPERATOR[:-1], OPERATOR + "o", OPERATOR.upper(), f"operator:{OPERATOR}", "\udcff"):
        assert find(tokens, wrong) is None
    assert VIEWER not in repr(tokens)


@pytest.mark.parametrize(
    "text",
    [
        "secretsecretsecretsecret",
        "admin:secretsecretsecretsecret",
        "viewer:secret",
        "viewer:",
        "viewer:secretsecretsecret secret",
        "viewer:" + "secret" * 50,
        "viewer@:secretsecretsecretsecret",
        "viewer@Front:secretsecretsecretsecret",
        "operator@front:secretsecretsecretsecret",
        "viewer:secretsecretsecretsecret,operator:secretsecretsecretsecret",
    ],
)
def test_the_error_for_an_invalid_token_does_not_repeat_it(text: str):
    with pytest.raises(ValueError, match="token") as raised:
        parse_all(text)
    assert "secret" not in str(raised.value).replace("its own secret", "")
