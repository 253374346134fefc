"""`docker compose up` as users type it: images built, page and WebSocket served, workers scaled and killed."""

import csv
import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect as websocket

from contract import keys
from contract.messages import WorkerStatus
from contract.redis.broker import Clients, connect
from tests.acceptance.conftest import EMOTII, Running, eventually, free_port

ROOT = Path(__file__).parents[2]
BUILT = ("capture", "inference", "gateway", "jobs")
PASSES = "10"
pytestmark = pytest.mark.timeout(1500)


class Compose:
    """One project of the checkout's docker-compose.yml, with Redis's port published for the test's own job."""

    def __init__(self, folder: Path) -> None:
        self.port, self.redis_port = free_port(), free_port()
        self._override = folder / "override.json"
        services: dict[str, object] = {name: {"build": {"network": "host"}} for name in BUILT}
        services["redis"] = {"ports": [f"127.0.0.1:{self.redis_port}:6379"]}
        self._override.write_text(json.dumps({"services": services}))

    def __call__(self, *arguments: str) -> str:
        files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(self._override)]
        done = subprocess.run(
            ["docker", "compose", "-p", "emotii-test", *files, *arguments],
            env=os.environ | {"EMOTII_PORT": str(self.port)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def compose(docker: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    compose = Compose(tmp_path_factory.mktemp("compose"))
    compose("build")
    try:
        compose("up", "-d", "--wait", "--scale", "inference=3")
        yield compose
    finally:
        compose("down", "-v", "--timeout", "20")


@pytest.fixture
def clients(compose: Compose) -> Iterator[Clients]:
    clients = connect(f"redis://127.0.0.1:{compose.redis_port}", "test")
    yield clients
    clients.close()


def statuses(clients: Clients) -> list[WorkerStatus]:
    return [WorkerStatus.model_validate_json(one) for one in clients.commands.hvals(keys.WORKERS)]


def test_page_emotion_and_websocket_are_served(compose: Compose):
    url = f"http://127.0.0.1:{compose.port}"
    with urlopen(f"{url}/readyz", timeout=10) as answer:
        assert answer.status == 200
    with urlopen(url, timeout=10) as answer:
        assert "video_feed" in answer.read().decode()

    def emotion() -> str | None:
        with urlopen(f"{url}/emotion", timeout=10) as answer:
            return json.load(answer)["emotion"]

    eventually(emotion, 60, "an emotion of the demo")
    with websocket(f"ws://127.0.0.1:{compose.port}/ws/emotions") as socket:
        assert json.loads(socket.recv(timeout=30))["type"] == "hello"
        kinds: set[str] = set()
        while "reading" not in kinds:
            kinds |= {event["kind"] for event in json.loads(socket.recv(timeout=30))}


def test_every_one_of_three_workers_commits(clients: Clients):
    eventually(lambda: [one.crops > 0 for one in statuses(clients)].count(True) >= 3, 60, "three busy workers")


def test_no_image_of_the_default_services_holds_tensorflow_pip_or_a_compiler_or_runs_as_root(compose: Compose):
    script = (
        "import importlib.util, os, shutil; print(os.getuid() != 0, *filter(importlib.util.find_spec, ('tensorflow',"
        " 'pip')), *filter(shutil.which, ('cc', 'gcc', 'make')))"
    )
    for name in BUILT:
        assert compose("exec", "-T", name, "python", "-c", script).strip() == "True", name


def test_a_killed_worker_loses_nothing_of_a_running_job(compose: Compose, run: Callable[..., Running], tmp_path: Path):
    redis_url = f"redis://127.0.0.1:{compose.redis_port}"

    def analysis(table: str) -> Running:
        return run(*EMOTII, "analyze", "demo", "--passes", PASSES, "--csv", table, EMOTII_REDIS_URL=redis_url)

    def places(table: str) -> Counter[tuple[str, str]]:
        with (tmp_path / table).open(newline="") as file:
            return Counter((row["frame"], row["face"]) for row in csv.DictReader(file))

    calm = analysis("calm.csv")
    assert calm.process.wait(300) == 0, calm.output
    disturbed = analysis("disturbed.csv")
    (partial,) = eventually(lambda: list(tmp_path.glob("disturbed.*.partial.csv")), 60, "the job runs")
    containers = compose("ps", "-q", "inference").split()
    eventually(lambda: partial.stat().st_size > 0, 60, "first rows")
    subprocess.run(["docker", "kill", containers[0]], check=True, capture_output=True)
    assert disturbed.process.wait(300) == 0, disturbed.output
    assert places("disturbed.csv") == places("calm.csv")
    assert max(places("disturbed.csv").values()) == 1
