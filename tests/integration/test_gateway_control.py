"""What people change over REST: sources and settings, kept in Redis."""

import json
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.added_sources import REVISION
from contract.messages import AddedSource
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, gateway_process, until
from tests.system import System
from tests.viewer import events_of

PASSWORD = "hunter2"
DOOR = {"name": "door", "address": f"rtsp://admin:{PASSWORD}@camera.local/live?token={PASSWORD}"}
SYSTEM_SETTINGS = {"save": "false"}


@pytest.fixture
def control(system: System) -> GatewayProcess:
    return system.gateway


def add(gateway: GatewayProcess, **source: object) -> httpx.Response:
    return httpx.post(f"{gateway.url}/api/v1/sources", json=source, timeout=20)


def remove(gateway: GatewayProcess, name: str) -> httpx.Response:
    return httpx.delete(f"{gateway.url}/api/v1/sources/{name}", timeout=20)


def listed(gateway: GatewayProcess) -> dict[str, dict[str, object]]:
    return {source["name"]: source for source in gateway.get("/api/v1/sources").json()["sources"]}


def test_a_source_is_added_kept_and_removed(control: GatewayProcess, clients: Clients):
    added = add(control, **DOOR, fps=5)
    assert added.status_code == 201
    assert added.headers["location"] == "/api/v1/sources/door"
    kept = AddedSource.model_validate_json(clients.commands.hget(keys.ADDED_SOURCES, "door"))
    assert (kept.address, kept.fps, kept.camera) == (DOOR["address"], 5, None)
    assert listed(control)["door"]["removable"]
    assert not listed(control)["front"]["removable"]
    assert control.get("/api/v1/sources/door").json()["reason"] == "waits for a capture service"

    assert remove(control, "door").status_code == 204
    assert not clients.commands.hexists(keys.ADDED_SOURCES, "door")
    assert remove(control, "door").status_code == 404


def test_another_gateway_and_a_restarted_one_list_the_added_sources(
    control: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    add(control, **DOOR)
    with gateway_process(server.url, tmp_path / "two") as two:
        until(two.ready, 90)
        until(lambda: "door" in listed(two))
        assert remove(two, "door").status_code == 204
    until(lambda: "door" not in listed(control))


def test_a_name_can_be_added_only_once_and_configured_sources_cannot_be_removed(control: GatewayProcess):
    assert add(control, **DOOR).status_code == 201
    for name in ("door", "front"):
        refused = add(control, name=name, address="demo")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "name_taken")
    refused = remove(control, "front")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "configured_source")
    assert "EMOTII_SOURCES" in refused.json()["error"]["message"]


def test_the_number_of_added_sources_is_limited(server: PrivateServer, tmp_path: Path):
    with gateway_process(server.url, tmp_path / "faces", added_sources="1") as gateway:
        until(lambda: gateway.log.exists() and "listens" in gateway.log.read_text(), 30)
        assert add(gateway, name="one", address="demo").status_code == 201
        refused = add(gateway, name="two", address="demo")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "too_many_sources")


STREAM = f"rtsp://u:{PASSWORD}@host/"
NO_SOURCES: list[dict[str, object]] = [
    {"name": "Door", "address": "demo"},
    {"name": "uploads", "address": "demo"},
    {"name": "door", "address": ""},
    {"name": "door", "address": f"file:///{PASSWORD}"},
    {"name": "door", "address": f"rtsp//u:{PASSWORD}@host/"},
    {"name": "door", "address": f"rtsp://u:{PASSWORD}/x@host/"},
    {"name": "door", "address": STREAM, "loop": True},
    {"name": "door", "address": STREAM, "fps": 0},
    {"name": "door", "address": STREAM, "detector": PASSWORD},
    {"name": "door", "address": [STREAM]},
    {"name": "door", "address": STREAM, "password": PASSWORD},
]


def test_an_address_that_cannot_be_captured_returns_422_without_its_password(control: GatewayProcess, clients: Clients):
    for source in NO_SOURCES:
        refused = add(control, **source)
        assert refused.status_code == 422, source
        assert PASSWORD not in refused.text
    assert set(clients.commands.hkeys(keys.ADDED_SOURCES)) <= {REVISION}


def test_a_password_of_an_added_source_is_in_no_response_and_no_log(control: GatewayProcess, clients: Clients):
    answers = [add(control, **DOOR), add(control, **DOOR)]
    clients.commands.hset(keys.ADDED_SOURCES, "odd", json.dumps({**DOOR, "name": "odd", "fps": PASSWORD}))
    with connect_socket(control.socket_url) as client:
        hello = client.recv(timeout=10)
        next(events_of(client, "stats"))
    answers += [control.get(path) for path in ("/api/v1/sources", "/api/v1/sources/door", "/metrics", "/openapi.json")]
    until(lambda: "values in redis ignored" in control.log.read_text())
    assert remove(control, "odd").status_code == 204
    answers += [remove(control, "door")]
    for text in [*(answer.text for answer in answers), str(hello), control.log.read_text()]:
        assert PASSWORD not in text


def test_changed_settings_are_stored_and_applied_by_every_gateway(
    control: GatewayProcess, server: PrivateServer, tmp_path: Path
):
    assert control.get("/api/v1/settings").json() == {"saving": False, "blur": "off"}
    with gateway_process(server.url, tmp_path / "two") as two:
        until(two.ready, 90)
        changed = httpx.patch(f"{two.url}/api/v1/settings", json={"saving": True, "blur": "mask"}, timeout=20)
        assert (changed.status_code, changed.json()) == (200, {"saving": True, "blur": "mask"})
        until(lambda: control.get("/api/v1/settings").json() == {"saving": True, "blur": "mask"})
        until(lambda: control.saved() or two.saved(), 30, "a face that is saved now")
        changed = httpx.patch(f"{control.url}/api/v1/settings", json={"saving": False}, timeout=20)
        assert changed.json() == {"saving": False, "blur": "mask"}
        until(lambda: two.get("/api/v1/settings").json()["saving"] is False)
        with connect_socket(two.socket_url) as client:
            stats = next(events_of(client, "stats"))
            assert stats["settings"] == {"saving": False, "blur": "mask", "saving_allowed": True, "min_blur": "off"}
            until(lambda: not next(events_of(client, "stats"))["saving"]["here"])
            saved = control.saved() + two.saved()
            next(events_of(client, "stats"))
            next(events_of(client, "stats"))
            assert control.saved() + two.saved() == saved


def test_an_invalid_setting_changes_nothing(control: GatewayProcess):
    for body in ('{"saving": 1}', '{"blur": "much"}', '{"saving": null}', '{"later": true}', "[]", "{"):
        refused = httpx.patch(
            f"{control.url}/api/v1/settings", content=body, headers={"Content-Type": "application/json"}, timeout=20
        )
        assert refused.status_code == 422, body
    assert control.get("/api/v1/settings").json() == {"saving": False, "blur": "off"}


def test_requests_from_another_site_change_nothing(control: GatewayProcess, clients: Clients):
    foreign = {"Origin": "https://elsewhere.example"}
    answers = [
        httpx.post(f"{control.url}/api/v1/sources", json=DOOR, headers=foreign, timeout=20),
        httpx.patch(f"{control.url}/api/v1/settings", json={"saving": True}, headers=foreign, timeout=20),
        httpx.delete(f"{control.url}/api/v1/sources/front", headers=foreign, timeout=20),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert control.get("/api/v1/settings").json() == {"saving": False, "blur": "off"}
    assert set(listed(control)) == {"front", "uploads"}
