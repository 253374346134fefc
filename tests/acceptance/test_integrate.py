"""Every example of docs/integrate.md, run as it stands there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import cv2
import pytest
import redis
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from emotii.local.redis_server import PrivateServer, find_server
from tests.acceptance.browser import chromium, needs_chromium
from tests.acceptance.node import needs_node, node
from tests.stage import HAPPY, SAD, GatewayProcess, Producer, clip_frames, gateway_process, until

PAGE = Path(__file__).parents[2] / "docs" / "integrate.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
ENDLESS = [
    # what a block that never ends holds, and what it prints sooner or later
    ("python", "?kind=episode", ["by now: front 1", "end front 1 happy", "start front 1 sad"]),
    ("python", '{"subscribe": wish}', ["front 1 happy", "'happy': 0."]),
    ("python", "struct.unpack", [" 1 happy 0.95", " 2 sad 0.9"]),
    ("python", "from contract import keys", [" 1 happy 95.0 ()", " 2 sad 90.0 ()"]),
    ("js", "new Emotii", ["sources: front", "front 1 happy"]),
]
ENDING = [
    # what a block of commands holds, what they print, and the file that they write
    ("static/emotii.js", "", "emotii.mjs"),
    ("/emotion", '"confidence"', None),
    ("/api/v1/predict", '"probabilities"', "now.jpg"),
    ("/api/v1/episodes", '"mean_confidence"', "readings.csv"),
]


def block(language: str, holds: str) -> str:
    (found,) = (text for name, text in BLOCKS if name == language and holds in text)
    return found


@dataclass
class Stage:
    """A gateway that sees two faces, of which one changes its expression every two seconds."""

    server: PrivateServer
    gateway: GatewayProcess
    producer: Producer

    def here(self, text: str) -> str:
        """The text with the addresses of this stage."""
        return text.replace("127.0.0.1:5000", f"127.0.0.1:{self.gateway.port}")

    def change_expressions(self, stop: Event) -> None:
        while not stop.wait(2):
            box, before = self.producer.faces.shown[1]
            self.producer.faces.shown[1] = box, HAPPY if before == SAD else SAD


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    server = PrivateServer(folder / "redis", find_server())
    server.start()
    stop = Event()
    with Producer(server.url) as producer, gateway_process(server.url, folder / "faces") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], 60, "an episode that runs already")
        stage = Stage(server, gateway, producer)
        changing = Thread(target=stage.change_expressions, args=(stop,))
        changing.start()
        yield stage
        stop.set()
        changing.join()
    server.stop()


def printed(stage: Stage, command: list[str], folder: Path, wanted: list[str]) -> None:
    """Run a program that never ends until it has printed all of this."""
    output = folder / "output"
    with output.open("wb") as log:
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "EMOTII_REDIS_URL": stage.server.url}
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
    try:
        for text in wanted:
            until(lambda text=text: text in output.read_text() or process.poll() is not None, 60, text)
            assert text in output.read_text(), output.read_text()[-2000:]
        assert process.poll() is None, output.read_text()[-2000:]
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize(("language", "holds", "wanted"), [case for case in ENDLESS if case[0] == "python"])
def test_a_python_example_prints_what_happens(
    stage: Stage, tmp_path: Path, language: str, holds: str, wanted: list[str]
):
    script = tmp_path / "example.py"
    script.write_text(stage.here(block(language, holds)))
    printed(stage, [sys.executable, str(script)], tmp_path, wanted)


@needs_node
@pytest.mark.parametrize(("language", "holds", "wanted"), [case for case in ENDLESS if case[0] == "js"])
def test_the_javascript_example_prints_what_happens(
    stage: Stage, tmp_path: Path, language: str, holds: str, wanted: list[str]
):
    commands(stage, tmp_path, "static/emotii.js")
    script = tmp_path / "example.mjs"
    script.write_text(stage.here(block(language, holds)))
    printed(stage, [*node(), str(script)], tmp_path, wanted)


@needs_chromium
def test_the_page_of_the_example_shows_the_emotion(stage: Stage):
    html = block("html", "/static/emotii.js")
    # The test hands the page over, so the browser cannot know that it comes from where the gateway is.
    with chromium("--disable-features=LocalNetworkAccessChecks") as browser:
        page = browser.new_page()
        page.route("**/mine.html", lambda route: route.fulfill(content_type="text/html", body=html))
        page.goto(f"{stage.gateway.url}/mine.html")
        page.wait_for_function("/^(happy|sad) \\d/.test(document.getElementById('line').textContent)", timeout=30_000)


def commands(stage: Stage, folder: Path, holds: str) -> str:
    """What the commands of a block print; fails if one of them does."""
    script = stage.here(block("sh", holds))
    return subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("holds", "wanted", "file"), ENDING)
def test_the_commands_on_the_page_work(stage: Stage, tmp_path: Path, holds: str, wanted: str, file: str | None):
    cv2.imwrite(str(tmp_path / "picture.jpg"), clip_frames(1)[0])

    def done() -> bool:
        output = commands(stage, tmp_path, holds)
        return wanted in output and (file is None or (tmp_path / file).stat().st_size > 500)

    until(done, 30, wanted)


def test_the_user_for_readers_reads_results_and_nothing_more(stage: Stage):
    _, *command = shlex.split(block("sh", "redis-cli"))
    with redis.Redis.from_url(stage.server.url) as owner:
        assert owner.execute_command(*command)
        reader = redis.Redis.from_url(stage.server.url, username="reader", password="a long secret")
        assert reader.xrange("emotii:{front}:results", count=1)
        assert reader.hgetall("emotii:sources")
        for forbidden in (
            lambda: reader.xrange("emotii:{front}:crops"),
            lambda: reader.xadd("emotii:{front}:results", {"a": "b"}),
            lambda: reader.delete("emotii:{front}:results"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                forbidden()
        reader.close()
        owner.acl_deluser("reader")


def test_a_program_that_sends_its_token_is_accepted(stage: Stage, tmp_path: Path):
    token = "t" * 24
    connecting = block("python", "Authorization").strip()
    with gateway_process(stage.server.url, tmp_path / "guarded", tokens=f"viewer:{token}") as guarded:
        until(guarded.ready, 60, "readiness")
        names = {"connect": connect, "URL": f"ws://127.0.0.1:{guarded.port}/ws/emotions"}
        with eval(connecting, names | {"token": token}) as client:
            assert json.loads(client.recv(10))
        with pytest.raises(InvalidStatus, match="401"):
            eval(connecting, names | {"token": "another"})


def test_every_example_of_the_page_is_tested():
    tested = {block(language, holds) for language, holds, _ in ENDLESS} | {block("sh", holds) for holds, *_ in ENDING}
    tested |= {block("html", "/static/emotii.js"), block("sh", "redis-cli"), block("python", "Authorization")}
    assert tested == {text for _, text in BLOCKS}
    assert shutil.which("bash")
