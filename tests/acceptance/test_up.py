"""`emotii up`: one command from the demo clip to the page, and nothing left behind."""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.acceptance.conftest import EMOTII, Running, eventually, free_port
from tests.conftest import shared

START_SECONDS = 90
"""A cold start takes a few seconds; a loaded machine may take much longer."""


def get(url: str) -> dict[str, object]:
    with urlopen(url, timeout=10) as answer:
        return dict(json.load(answer))


def command_of(pid: int) -> str:
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def open_to_others(*folders: Path) -> list[str]:
    """What other users of the machine could read in these folders, with its mode."""
    found = [path for folder in folders for path in [folder, *folder.rglob("*")]]
    assert found
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in found}
    return [f"{mode:o} {path.name}" for path, mode in modes.items() if mode & 0o077]


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start(run: Callable[..., Running], *options: str, **environment: str) -> tuple[Running, str]:
    port = free_port()
    running = run(*EMOTII, "up", "--port", str(port), *options, **environment)
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: f"running: {url}" in running.output or running.process.poll() is not None, START_SECONDS, "URL")
    assert running.process.poll() is None, running.output
    return running, url


def test_the_demo_gives_changing_emotions_and_an_interrupt_leaves_only_files_of_this_user(
    run: Callable[..., Running], tmp_path: Path
):
    running, url = start(run, "--workers", "2", "--source", "demo=demo")
    seen: set[object] = set()

    def two_answers() -> bool:
        answer = get(f"{url}/emotion")
        assert set(answer) == {"emotion", "confidence"}
        if answer["emotion"] is not None:
            seen.add((answer["emotion"], answer["confidence"]))
        return len(seen) >= 2

    eventually(two_answers, 60, "the emotion of the demo changes")
    eventually(lambda: list(tmp_path.glob("saved_faces/*/*.jpg")), 30, "a saved face")
    children = running.children()
    assert len(children) >= 6  # server, gateway, two workers, capture with the demo's process

    assert running.end(signal.SIGINT) == 0, running.output
    assert [pid for pid in children if exists(pid)] == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0
    assert "Traceback" not in running.output
    assert open_to_others(tmp_path / ".emotii", tmp_path / "saved_faces") == []


@pytest.mark.long
def test_a_worker_that_dies_is_started_again(run: Callable[..., Running]):
    running, url = start(run, "--source", "demo=demo")
    worker = next(pid for pid in running.children() if "inference_service" in command_of(pid))
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: "process died, restarting it" in running.output, 30, "the supervisor notices")
    eventually(lambda: get(f"{url}/emotion")["emotion"], 60, "an emotion from the new worker")
    assert running.end(signal.SIGTERM) == 0


def test_a_second_up_in_the_same_folder_is_refused_with_one_line(run: Callable[..., Running]):
    start(run, "--source", "demo=demo")
    second = run(*EMOTII, "up", "--source", "demo=demo")
    assert second.process.wait(30) == 2
    assert "already runs" in second.output
    assert "Traceback" not in second.output


@pytest.mark.long
def test_two_people_who_turn_their_heads_keep_a_track_each(run: Callable[..., Running]):
    from websockets.sync.client import connect

    video = shared("videos/two-people-head-pose.gif")
    _, url = start(run, EMOTII_SOURCES=f"two={video}?loop=1")
    tracks: dict[int, int] = {}
    frames: set[int] = set()
    with connect(f"{url.replace('http', 'ws')}/ws/emotions") as socket_:
        assert json.loads(socket_.recv(timeout=30))["type"] == "hello"
        while len(frames) < 56 * 2:
            for event in json.loads(socket_.recv(timeout=30)):
                if event["kind"] == "reading":
                    frames.add(event["frame"])
                    tracks[event["track"]] = tracks.get(event["track"], 0) + 1
    passes = (max(frames) - min(frames)) / 56
    assert 2 <= len(tracks) <= 2 * (passes + 1), tracks
    assert sum(tracks.values()) / len(frames) == pytest.approx(2.0, abs=0.3)
