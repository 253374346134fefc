"""A real gateway when something round it fails, and its end."""

import json
import math
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, Producer, free_port, gateway_process, until
from tests.viewer import drain, events_of, stalled_viewer


@pytest.fixture
def server(any_server: PrivateServer) -> PrivateServer:
    """Both kinds of server fail here."""
    return any_server


@pytest.fixture
def gateway(server: PrivateServer, producer: Producer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], what="the first reading")
        yield gateway


def test_a_capture_that_died_is_offline_within_seconds(gateway: GatewayProcess, producer: Producer):
    producer.stop()
    until(lambda: gateway.get("/api/v1/sources/front").json()["state"] == "OFFLINE", 20)
    ready = gateway.get("/readyz")
    assert ready.status_code == 503
    assert "a worker" in ready.json()["error"]["message"]
    assert "a capture" in ready.json()["error"]["message"]
    assert gateway.get("/healthz").status_code == 200


def test_malformed_entries_are_ignored(gateway: GatewayProcess, clients: Clients):
    client = clients.commands
    client.xadd(keys.results("front"), {b"v": b"1", b"kind": b"reading"})
    client.xadd(keys.results("front"), {b"v": b"9"})
    client.hset(keys.SOURCES, "junk", b"{")
    nan = {"v": 1, "name": "x", "kind": "camera", "state": "ONLINE", "since_ms": 1, "seen_ms": 1 << 50, "fps": math.nan}
    client.hset(keys.SOURCES, "x", json.dumps(nan))
    client.publish(keys.frames("front"), b"no header")
    with connect_socket(gateway.socket_url) as client_socket:
        assert next(events_of(client_socket, "reading"))["emotion"]
    until(lambda: "malformed result ignored" in gateway.log.read_text())
    until(lambda: "values in redis ignored" in gateway.log.read_text())
    assert gateway.process.poll() is None
    assert [source["name"] for source in gateway.get("/api/v1/sources").json()["sources"]] == ["front", "uploads"]


def test_a_key_of_another_type_delays_only_its_own_source(
    gateway: GatewayProcess, server: PrivateServer, clients: Clients
):
    client = clients.commands
    with Producer(server.url, "door", order=1, answers_uploads=False) as door:
        until(lambda: gateway.get("/emotion?source=door").status_code == 200)
        until(lambda: gateway.get("/emotion?source=door").json()["emotion"], what="the second source's first reading")
        door.state = "OFFLINE"  # writes nothing to its results any more
        client.set(keys.crops("door"), "no stream")
        client.set(keys.results("door"), "no stream")
        until(lambda: "results cannot be read, left out" in gateway.log.read_text())
        with connect_socket(gateway.socket_url) as socket_client:
            for _ in range(5):
                assert next(events_of(socket_client, "reading"))["source"] == "front"
            assert next(events_of(socket_client, "stats"))["redis"]
        client.delete(keys.results("door"))
        door.state = "ONLINE"
        until(lambda: gateway.get("/emotion?source=door").json()["emotion"], 20, "its return")
    assert gateway.log.read_text().count("results cannot be read, left out") == 1
    assert "redis unavailable" not in gateway.log.read_text()


def test_the_gateway_survives_a_restart_of_redis(gateway: GatewayProcess, server: PrivateServer):
    with connect_socket(gateway.socket_url) as client:
        next(events_of(client, "reading"))
        server.kill()
        until(lambda: not next(events_of(client, "stats"))["redis"], 20, "news of the outage")
        assert gateway.get("/").status_code == 200
        assert gateway.get("/readyz").status_code == 503
        assert httpx.post(f"{gateway.url}/api/v1/predict", files={"picture": b"x"}, timeout=20).status_code == 503
        server.start()
        until(lambda: next(events_of(client, "stats"))["redis"], 20, "news of its end")
        assert next(events_of(client, "reading", 20))["emotion"]
    until(lambda: "redis available again" in gateway.log.read_text(), what="the end of the outage for every reader")
    log = gateway.log.read_text()
    assert log.count("redis unavailable") == 1
    assert "Traceback" not in log


def test_the_gateway_waits_for_a_redis_that_is_not_there_yet(tmp_path: Path, server: PrivateServer):
    server.kill()
    with gateway_process(server.url, tmp_path / "faces") as gateway:
        until(lambda: "listens" in gateway.log.read_text(), 30)
        assert gateway.get("/").status_code == 200
        assert gateway.get("/emotion").json() == {"emotion": None, "confidence": 0.0}
        assert gateway.get("/readyz").json()["error"]["message"] == "missing: redis"
        server.start()
        with Producer(server.url):
            until(gateway.ready, 20)
            until(lambda: gateway.get("/emotion").json()["emotion"] == "happy")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stalled_viewer_does_not_delay_the_shutdown(gateway: GatewayProcess, number: signal.Signals):
    viewer = stalled_viewer(gateway.port)
    with connect_socket(gateway.socket_url) as client:
        until(lambda: "gateway_viewers 1.0" in gateway.get("/metrics").text)
        next(events_of(client, "reading"))
        gateway.process.send_signal(number)
        assert gateway.process.wait(15) == 0
        with pytest.raises(ConnectionClosed):
            drain(client)
    viewer.close()
    assert "Traceback" not in gateway.log.read_text()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"EMOTII_PORT": "TAKEN"}, "EMOTII_PORT="),
        ({"EMOTII_HOST": "203.0.113.7"}, "EMOTII_HOST=203.0.113.7"),
        ({"EMOTII_SMOOTHING": "soon"}, "EMOTII_SMOOTHING=soon"),
        ({"EMOTII_REDIS_URL": "http://localhost"}, "EMOTII_REDIS_URL"),
    ],
)
def test_an_unusable_configuration_is_reported_in_one_readable_line(settings: dict[str, str], named: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"EMOTII_PORT": str(free_port())} | settings
        environment = {name: port if value == "TAKEN" else value for name, value in environment.items()}
        ended = subprocess.run(
            [sys.executable, "-m", "api_gateway"],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("emotii: ")
    assert named in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
