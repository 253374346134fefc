"""Commands of the command line that a person mistypes, or calls where something is in the way."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.redis.broker import connect
from contract.service.logs import scrub
from emotii.commands.doctor import examine
from emotii.local.own_networks import own_networks
from emotii.local.redis_server import PrivateServer, find_server, private_url
from tests.inference import announce


def emotii(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
    return subprocess.run(
        [sys.executable, "-m", "emotii", *arguments],
        cwd=folder,
        env=kept | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_version_is_printed(tmp_path: Path):
    assert emotii(tmp_path, "--version").stdout.startswith("emotii 0.")


def test_a_taken_port_leaves_no_data_folder(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = emotii(tmp_path, "up", "--source", "demo=demo", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "is taken" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_erasing_a_source_that_nobody_knows_is_an_error_that_names_those_that_there_are(
    server: PrivateServer, tmp_path: Path
):
    clients = connect(server.url, "test")
    announce(clients.commands, "door", "camera")
    clients.close()
    ended = emotii(tmp_path, "erase", "--source", "nosuch", EMOTII_REDIS_URL=server.url)
    assert ended.returncode != 0
    assert "Erased" not in ended.stdout
    assert "nothing is known of a source 'nosuch'" in ended.stderr
    assert "there are: door" in ended.stderr
    ended = emotii(tmp_path, "erase", "--source", "door", EMOTII_REDIS_URL=server.url)
    assert (ended.returncode, "Erased: 0 saved faces" in ended.stdout) == (0, True), ended


@pytest.mark.long
def test_evaluating_and_predicting_write_no_file_that_nobody_asked_for(tmp_path: Path):
    noise = np.random.default_rng(0)
    for emotion in ("happy", "sad"):
        (tmp_path / "data" / emotion).mkdir(parents=True)
        for number in range(2):
            picture = noise.integers(0, 256, (48, 48), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "data" / emotion / f"{number}.png"), picture)
    before = sorted(tmp_path.rglob("*"))
    ended = emotii(tmp_path, "evaluate", "--json", "--data", "data", "--no-agreement")
    assert ended.returncode == 0, ended.stderr
    json.loads(ended.stdout)
    ended = emotii(tmp_path, "predict", "--json", "data/happy/0.png")
    json.loads(ended.stdout)
    assert sorted(tmp_path.rglob("*")) == before


def test_doctor_and_up_print_the_url_of_the_private_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMOTII_REDIS_URL", raising=False)

    def redis_finding() -> str:
        return next(finding for finding in examine() if finding.subject == "Redis").fact

    url = private_url(Path(".emotii"), find_server())
    assert redis_finding().endswith(f"at {url}")
    assert list(tmp_path.iterdir()) == [], "nothing was created"
    server = PrivateServer(Path(".emotii"))
    assert server.url == url
    server.start()
    try:
        assert redis_finding().startswith(f"{url}: ")
        assert "were tried" in redis_finding()
    finally:
        server.stop()


def test_no_password_of_redis_is_printed():
    assert scrub("redis://user:hunter2@127.0.0.1:1/0") == "redis://***@127.0.0.1:1/0"


def test_doctor_names_the_setting_that_allows_cameras_of_this_network(monkeypatch: pytest.MonkeyPatch):
    def finding() -> object:
        return next(finding for finding in examine() if finding.subject == "Networks")

    monkeypatch.setenv("EMOTII_REDIS_URL", "redis://127.0.0.1:1/0")
    networks = ",".join(map(str, own_networks()))
    found = finding()
    assert (found.verdict, found.remedy) == (  # type: ignore[attr-defined]
        ("note", f"to allow them: EMOTII_CAMERA_NETWORKS={networks}") if networks else ("ok", "")
    )
    monkeypatch.setenv("EMOTII_CAMERA_NETWORKS", networks)
    assert finding().verdict == "ok"  # type: ignore[attr-defined]
