"""What Redis loses is not thereby permitted or forgotten: settings, added sources and erasures survive it."""

import json
import time
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from rendering.images import decode
from tests.stage import GatewayProcess, Producer, gateway_process, until
from tests.system import System
from tests.viewer import events_of

STRICT = {"saving": False, "blur": "mask"}
COVERED = (74, 66, 62)
"""`rendering.anonymization.COVER`, as BGR."""


@pytest.fixture
def gateway(system: System) -> GatewayProcess:
    return system.gateway


def change(gateway: GatewayProcess, **settings: object) -> httpx.Response:
    return httpx.patch(f"{gateway.url}/api/v1/settings", json=settings, timeout=20)


def settings_of(gateway: GatewayProcess) -> dict[str, object]:
    return dict(gateway.get("/api/v1/settings").json())


def shows_faces(gateway: GatewayProcess) -> bool:
    """Whether the middle of the larger face is visible in a still picture without boxes."""
    picture = decode(gateway.get("/api/v1/sources/front/frame.jpg?labels=none").content)
    return any(abs(int(value) - covered) > 12 for value, covered in zip(picture[170, 280], COVERED, strict=True))


def wipe(gateway: GatewayProcess, clients: Clients, how: str) -> None:
    match how:
        case "flush":
            clients.commands.flushdb()
        case "evicted":
            clients.commands.delete(keys.SETTINGS)
        case "malformed":
            clients.commands.hset(keys.SETTINGS, mapping={"saving": "yes", "blur": "{", "revision": "9" * 5000})
        case "another type":
            clients.commands.delete(keys.SETTINGS)
            clients.commands.set(keys.SETTINGS, "text")
        case "rolled back":  # as after a crash that cost the last second
            clients.commands.hset(keys.SETTINGS, mapping={"saving": "true", "blur": '"off"', "revision": "1"})


@pytest.mark.parametrize(
    "how",
    [
        "flush",
        *(pytest.param(how, marks=pytest.mark.long) for how in ("rolled back", "evicted", "malformed", "another type")),
    ],
)
def test_settings_that_redis_loses_stay_in_force_and_are_written_back_and_reported(
    gateway: GatewayProcess, clients: Clients, how: str
):
    assert change(gateway, **STRICT).json() == STRICT
    until(lambda: not shows_faces(gateway), 30, "the masks")
    time.sleep(1)  # what was due has been saved
    saved, since = gateway.saved(), len(gateway.log.read_text())
    wipe(gateway, clients, how)
    for _ in range(10):
        assert settings_of(gateway) == STRICT
        assert not shows_faces(gateway)
        time.sleep(0.2)
    stored = until(lambda: clients.commands.hgetall(keys.SETTINGS), 30, "the settings in Redis again")
    assert (stored[b"saving"], stored[b"blur"]) == (b"false", b'"mask"')
    assert gateway.saved() == saved
    assert "restored" in gateway.log.read_text()[since:]
    audit = gateway.folder.with_suffix(".audit.jsonl").read_text().splitlines()
    assert json.loads(audit[-1])["what"] == "RESTORE settings"
    with connect_socket(gateway.socket_url) as client:
        assert next(events_of(client, "stats"))["restored"]["what"] == "settings"
    loose = {"saving": True, "blur": "off"}
    assert change(gateway, **loose).json() == loose
    until(gateway.saved, 30, "a face that is saved again, because an operator switched it on")
    assert settings_of(gateway) == loose
    assert shows_faces(gateway)


def test_a_gateway_that_starts_while_redis_is_empty_restores_the_last_choice_it_knew(
    server: PrivateServer, clients: Clients, tmp_path: Path
):
    with gateway_process(server.url, tmp_path / "one") as one:
        until(one.alive, 90)
        assert change(one, **STRICT).json() == STRICT
        copy = tmp_path / "one.settings.json"
        until(copy.exists, 30, "the gateway's own copy")
        assert copy.stat().st_mode & 0o077 == 0
    clients.commands.flushdb()
    with gateway_process(server.url, tmp_path / "one") as again:
        until(again.alive, 90)
        until(lambda: clients.commands.hget(keys.SETTINGS, "blur") == b'"mask"', 30, "the settings in Redis again")
        assert settings_of(again) == STRICT
        change(again, blur="off")
    copy.write_text("{")  # damaged: nobody knows what was chosen
    clients.commands.flushdb()
    with gateway_process(server.url, tmp_path / "one") as damaged:
        until(damaged.alive, 90)
        until(lambda: clients.commands.hget(keys.SETTINGS, "blur") == b'"mask"', 30, "the strictest settings")
        assert settings_of(damaged) == STRICT


def test_a_bound_of_the_environment_cannot_be_loosened(producer: Producer, server: PrivateServer, tmp_path: Path):
    with gateway_process(server.url, tmp_path / "faces", saving_allowed="false", min_blur="blur") as gateway:
        until(gateway.ready, 90)
        until(lambda: gateway.get("/emotion").json()["emotion"], 30, "the first reading")
        assert settings_of(gateway) == {"saving": False, "blur": "blur"}
        for loose, variable in (({"saving": True}, "EMOTII_SAVING_ALLOWED"), ({"blur": "off"}, "EMOTII_MIN_BLUR")):
            refused = change(gateway, **loose)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "fixed_setting")
            assert variable in refused.json()["error"]["message"]
        assert change(gateway, blur="mask").json() == STRICT
        refused = httpx.post(f"{gateway.url}/save_current", timeout=20)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "fixed_setting")
        with connect_socket(gateway.socket_url) as client:
            shown = next(events_of(client, "stats"))["settings"]
        assert shown == {**STRICT, "saving_allowed": False, "min_blur": "blur"}
        assert gateway.saved() == []


def test_sources_that_redis_loses_are_added_again_and_a_removed_one_is_not(gateway: GatewayProcess, clients: Clients):
    for name in ("door", "hall"):
        added = {"name": name, "address": f"rtsp://{name}.local/live"}
        assert httpx.post(f"{gateway.url}/api/v1/sources", json=added, timeout=20).status_code == 201
    assert httpx.delete(f"{gateway.url}/api/v1/sources/hall", timeout=20).status_code == 204
    clients.commands.flushdb()
    until(lambda: clients.commands.hexists(keys.ADDED_SOURCES, "door"), 30, "the source in Redis again")
    assert gateway.get("/api/v1/sources/door").status_code == 200
    assert not clients.commands.hexists(keys.ADDED_SOURCES, "hall")
    assert "added sources" in gateway.log.read_text()
    assert httpx.delete(f"{gateway.url}/api/v1/sources/door", timeout=20).status_code == 204
    time.sleep(2)
    assert not clients.commands.hexists(keys.ADDED_SOURCES, "door")
