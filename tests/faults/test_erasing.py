"""Row 23: what was seen is erased everywhere, and a search that finds it before finds nothing after."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from contract.redis.broker import Clients, connect
from emotii.local.redis_server import PrivateServer
from tests.faults.canary import Canary
from tests.stage import GatewayProcess, Producer, gateway_process, until

SECONDS = 60.0
"""What is promised."""


@pytest.fixture
def server(make_server: Callable[..., PrivateServer]) -> PrivateServer:
    """One that packs nothing, so that bytes can be looked for."""
    return make_server("--rdbcompression", "no")


@pytest.fixture
def clients(server: PrivateServer) -> Iterator[Clients]:
    clients = connect(server.url, "test")
    yield clients
    clients.close()


@pytest.fixture
def gateway(server: PrivateServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with started(server, tmp_path) as gateway:
        yield gateway


def started(server: PrivateServer, folder: Path):
    return gateway_process(server.url, folder / "faces", jobs=str(folder / "jobs"), save_every="0.2s")


@pytest.fixture
def canary(gateway: GatewayProcess, clients: Clients, tmp_path: Path) -> Canary:
    """Put everywhere, and found everywhere."""
    until(gateway.alive, 90, "the gateway")
    canary = Canary("door")
    canary.put_into_redis(clients.commands)
    canary.put_into_history(gateway, clients.commands)
    canary.put_on_disk(gateway)
    canary.submit_recording(gateway)
    until(lambda: len(canary.places(tmp_path, clients.commands)) >= 9, 20, "the canary in all places")
    return canary


def erase(gateway: GatewayProcess, **what: object) -> dict:
    answer = httpx.post(f"{gateway.url}/api/v1/erasures", json=what, timeout=20)
    assert answer.status_code == 202, answer.text
    return answer.json()


def wait(gateway: GatewayProcess, erasure: dict) -> dict:
    def done() -> dict | None:
        now = gateway.get(f"/api/v1/erasures/{erasure['id']}").json()
        return now if now["state"] == "done" else None

    return until(done, SECONDS, "the end of the erasure")


KINDS = {
    "appendonlydir": "aof",
    "appendonly.aof": "aof",
    "faces.db": "history",
    "faces/": "faces",
    "jobs/": "jobs",
    "}:crops": "crops",
    "}:results": "results",
    "}:inbox": "inbox",
    "}:steady": "steady",
    "emotii:jobs": "job",
}
"""Parts of the names of files and keys, and what is there."""
ALL_KINDS = set(KINDS.values())


def kinds_of(places: set[str]) -> set[str]:
    """The kinds of these places; the file names of the server vary."""
    return {kind for place in places for part, kind in KINDS.items() if part in place}


def wait_for_nothing(canary: Canary, folder: Path, clients: Clients) -> None:
    deadline = time.monotonic() + 20
    while places := canary.places(folder, clients.commands):
        assert time.monotonic() < deadline, places
        time.sleep(0.1)


@pytest.mark.row(23)
@pytest.mark.short
def test_erasing_everything_leaves_no_byte_on_disk_in_streams_and_in_the_append_only_file(
    gateway: GatewayProcess, canary: Canary, clients: Clients, tmp_path: Path
):
    assert kinds_of(canary.places(tmp_path, clients.commands)) == ALL_KINDS, "the search finds it"
    began = time.monotonic()
    erasure = wait(gateway, erase(gateway, all=True))
    wait_for_nothing(canary, tmp_path, clients)
    assert time.monotonic() - began < SECONDS
    erased = erasure["erased"]
    assert erased["faces"] == 1
    assert erased["jobs"] == 1
    assert erased["entries"] >= 4
    assert erased["records"] >= 2
    time.sleep(3)  # a delayed write of any process would have happened by now
    assert canary.places(tmp_path, clients.commands) == set()


@pytest.mark.row(23)
def test_an_erasure_goes_on_after_the_gateway_was_killed_in_it(
    server: PrivateServer, gateway: GatewayProcess, canary: Canary, clients: Clients, tmp_path: Path
):
    erasure = erase(gateway, all=True)
    gateway.process.kill()
    gateway.process.wait()
    assert canary.places(tmp_path, clients.commands)
    with started(server, tmp_path) as again:
        until(again.alive, 30, "the gateway's return")
        wait(again, erasure)
        wait_for_nothing(canary, tmp_path, clients)


@pytest.mark.row(23)
def test_erasing_one_source_leaves_the_others(
    server: PrivateServer, gateway: GatewayProcess, canary: Canary, clients: Clients, tmp_path: Path
):
    with Producer(server.url, "front", answers_uploads=False):
        until(lambda: len(gateway.saved()) >= 4, 90, "saved faces of another source")
        until(lambda: gateway.get("/api/v1/readings?source=front").json()["items"], 30, "history of another source")
        saved = set(gateway.saved())
        wait(gateway, erase(gateway, source="door"))
        left = canary.places(tmp_path, clients.commands)
        assert kinds_of(left) <= {"aof", "jobs", "job"}, "only the recording, which is of no camera"
        assert len(saved & set(gateway.saved())) == len(saved) - 1
        assert gateway.get("/api/v1/readings?source=front").json()["items"]
        assert gateway.get("/api/v1/readings?source=door").json()["items"] == []


@pytest.mark.row(23)
def test_erasing_a_span_leaves_the_data_before_and_after_it(
    gateway: GatewayProcess, canary: Canary, clients: Clients, tmp_path: Path
):
    time.sleep(14)  # what came of a crop is stored up to ten seconds later than the crop
    until_ms = round(time.time() * 1000) - 10_500
    later = Canary("hall")
    later.put_into_redis(clients.commands)
    later.put_into_history(gateway, clients.commands)
    later.put_on_disk(gateway)
    wait(gateway, erase(gateway, to=until_ms, source="door"))
    wait(gateway, erase(gateway, to=until_ms))
    wait_for_nothing(canary, tmp_path, clients)
    assert kinds_of(later.places(tmp_path, clients.commands)) == ALL_KINDS - {"jobs", "job", "steady"}


@pytest.mark.row(23)
def test_the_command_erases_while_nothing_runs(
    server: PrivateServer, gateway: GatewayProcess, canary: Canary, clients: Clients, tmp_path: Path
):
    gateway.process.terminate()
    gateway.process.wait(15)
    environment = {
        "PATH": "",
        "EMOTII_REDIS_URL": server.url,
        "EMOTII_DATABASE_URL": f"sqlite:///{tmp_path / 'faces.db'}",
        "EMOTII_SAVED_FACES": str(tmp_path / "faces"),
        "EMOTII_JOBS": str(tmp_path / "jobs"),
    }
    command = [sys.executable, "-m", "emotii", "erase", "--all"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Erased: 1 saved faces")
    assert canary.places(tmp_path, clients.commands) == set()
