"""An erasure that cannot finish, here for want of its database, does not disturb what is live at every retry."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from contract import keys
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, Producer, free_port, gateway_process, until
from tests.viewer import events_of

WATCHED_SECONDS = 5.0
"""The first retries follow each other within half a second to two."""


@pytest.fixture
def gateway(server: PrivateServer, producer: Producer, tmp_path: Path) -> Iterator[GatewayProcess]:
    nowhere = f"postgresql://emotii@127.0.0.1:{free_port()}/emotii"
    with gateway_process(server.url, tmp_path / "faces", database_url=nowhere) as gateway:
        until(lambda: gateway.alive() and gateway.get("/emotion").json()["emotion"], 60, "the first reading")
        yield gateway


def erase(gateway: GatewayProcess, **scope: object) -> str:
    answer = httpx.post(f"{gateway.url}/api/v1/erasures", json=scope, timeout=20)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def episodes(client: ClientConnection) -> list[dict[str, Any]]:
    """The starts and ends of episodes within the next seconds."""
    found, deadline = [], time.monotonic() + WATCHED_SECONDS
    try:
        for event in events_of(client, "episode", WATCHED_SECONDS):
            if event["phase"] != "update":
                found.append(event)
            if time.monotonic() > deadline:
                break
    except TimeoutError:
        pass
    return found


def is_retried(gateway: GatewayProcess, erasure: str) -> bool:
    status = gateway.get(f"/api/v1/erasures/{erasure}").json()
    assert status["state"] == "running"
    return bool(status["trouble"]) and gateway.log.read_text().count("erasure waits") > 1


def test_the_retries_of_an_erasure_of_an_old_span_end_no_running_episode(gateway: GatewayProcess):
    with connect_socket(gateway.socket_url) as client:
        erasure = erase(gateway, source="front", to=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
        assert episodes(client) == []
    assert is_retried(gateway, erasure)


def test_the_retries_of_an_erasure_until_now_end_the_running_episodes_once(gateway: GatewayProcess):
    with connect_socket(gateway.socket_url) as client:
        erasure = erase(gateway, source="front")
        phases = [(event["track"], event["phase"]) for event in episodes(client)]
    assert sorted(phases) == [(1, "end"), (1, "start"), (2, "end"), (2, "start")]
    assert is_retried(gateway, erasure)


def test_an_erasure_that_redis_loses_is_not_forgotten(gateway: GatewayProcess, server: PrivateServer):
    erasure = erase(gateway, source="front")
    until(lambda: is_retried(gateway, erasure), 30, "a retry")
    with redis.Redis.from_url(server.url) as client:
        client.flushdb()
        until(lambda: client.hexists(keys.ERASURES, erasure), 30, "the erasure in Redis again")
    assert gateway.get(f"/api/v1/erasures/{erasure}").json()["state"] == "running"
    assert "RESTORE erasures" in gateway.folder.with_suffix(".audit.jsonl").read_text()
