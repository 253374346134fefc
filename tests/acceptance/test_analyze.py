"""`emotii analyze`: every face of every frame exactly once, whatever dies meanwhile."""

import csv
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from contract import keys
from contract.broker import Clients
from contract.messages import WorkerStatus
from emotii.server import PrivateServer
from tests.acceptance.conftest import EMOTII, Running, eventually
from tests.conftest import shared

PASSES = 8


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def places(table: list[dict[str, str]]) -> Counter[tuple[int, int]]:
    return Counter((int(row["frame"]), int(row["face"])) for row in table)


def workers(clients: Clients) -> list[WorkerStatus]:
    return [WorkerStatus.model_validate_json(status) for status in clients.commands.hvals(keys.WORKERS)]


@pytest.fixture
def undisturbed(run: Callable[..., Running], tmp_path: Path) -> Counter[tuple[int, int]]:
    """Every face of every frame of one pass over the classroom, as a run that nothing disturbed found them."""
    running = run(*EMOTII, "analyze", str(shared("videos/classroom.gif")), "--csv", "calm.csv", "--passes", str(PASSES))
    assert running.process.wait(100) == 0, running.output
    return places(rows(tmp_path / "calm.csv"))


def test_the_demo_gives_a_row_for_each_face_with_its_probabilities(run: Callable[..., Running], tmp_path: Path):
    running = run(*EMOTII, "analyze", "demo", "--csv", "faces.csv")
    assert running.process.wait(100) == 0, running.output
    table = rows(tmp_path / "faces.csv")
    assert table
    assert max(places(table).values()) == 1
    assert [int(row["frame"]) for row in table] == sorted(int(row["frame"]) for row in table)
    for row in table:
        probabilities = {label: float(row[label]) for label in ("angry", "fear", "happy", "sad", "surprise")}
        assert sum(probabilities.values()) == pytest.approx(1, abs=0.001)
        assert row["emotion"] in {max(probabilities, key=probabilities.__getitem__), "uncertain"}
        assert float(row["confidence"]) == pytest.approx(100 * max(probabilities.values()), abs=0.1)
    assert not list(tmp_path.glob("*.partial"))


def test_an_interrupt_leaves_no_table_and_no_process(run: Callable[..., Running], tmp_path: Path):
    running = run(*EMOTII, "analyze", "demo", "--csv", "faces.csv", "--passes", "1000")
    eventually(lambda: len(running.children()) >= 2 and (tmp_path / "faces.csv.partial").exists(), 60, "it runs")
    children = running.children()
    assert running.end(signal.SIGINT) == 2
    assert "stopped before the end" in running.output
    assert not list(tmp_path.glob("faces.csv*"))
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.timeout(300)
def test_killed_workers_and_a_killed_server_lose_and_repeat_nothing(
    run: Callable[..., Running],
    server: PrivateServer,
    clients: Clients,
    tmp_path: Path,
    undisturbed: Counter[tuple[int, int]],
):
    environment = {"EMOTII_REDIS_URL": server.url, "EMOTII_CLAIM_AFTER": "1s"}
    start_worker = [sys.executable, "-m", "inference_service"]
    alive = [run(*start_worker, **environment) for _ in range(3)]
    eventually(lambda: len(workers(clients)) >= 3, 60, "three workers")
    video = str(shared("videos/classroom.gif"))
    analysis = run(*EMOTII, "analyze", video, "--csv", "faces.csv", "--passes", str(PASSES), **environment)
    chance = random.Random(20)
    killed, server_killed = 0, False
    while analysis.process.poll() is None:
        time.sleep(0.7)
        victim = alive.pop(chance.randrange(len(alive)))
        victim.kill()
        alive.append(run(*start_worker, **environment))
        killed += 1
        if killed == 3:
            server.kill()
            server.start()
            server_killed = True
        assert killed < 150, analysis.output
    assert analysis.process.returncode == 0, analysis.output
    assert server_killed
    assert places(rows(tmp_path / "faces.csv")) == undisturbed
