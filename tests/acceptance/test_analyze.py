"""`emotii analyze`: every face of every frame exactly once, even if processes die meanwhile."""

import csv
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from capture_service.sources.spec import DEMO_CLIP
from contract import keys
from contract.messages import WorkerStatus
from contract.model.labels import EMOTIONS_8
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from jobs_service.outputs.outputs import Outputs
from tests.acceptance.browser import chromium, needs_chromium
from tests.acceptance.conftest import EMOTII, Running, eventually, free_port
from tests.inference import write_tiny_model

PASSES = 5


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def places(table: list[dict[str, str]]) -> Counter[tuple[int, int]]:
    return Counter((int(row["frame"]), int(row["face"])) for row in table)


def workers(clients: Clients) -> list[WorkerStatus]:
    return [WorkerStatus.model_validate_json(status) for status in clients.commands.hvals(keys.WORKERS)]


@pytest.fixture
def undisturbed(run: Callable[..., Running], tmp_path: Path) -> Counter[tuple[int, int]]:
    """Every face of every frame, as a run that nothing disturbed found them."""
    running = run(*EMOTII, "analyze", "demo", "--csv", "calm.csv", "--passes", str(PASSES))
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
        probabilities = {label: float(row[label]) for label in EMOTIONS_8}
        assert sum(probabilities.values()) == pytest.approx(1, abs=0.001)
        assert row["emotion"] in {max(probabilities, key=probabilities.__getitem__), "uncertain"}
        assert float(row["confidence"]) == pytest.approx(100 * max(probabilities.values()), abs=0.1)
    assert not list(tmp_path.glob("*.partial*"))


def test_an_interrupt_leaves_no_table_and_no_process(run: Callable[..., Running], tmp_path: Path):
    running = run(*EMOTII, "analyze", "demo", "--csv", "faces.csv", "--passes", "1000")
    eventually(lambda: len(running.children()) >= 2 and any(tmp_path.glob("faces.*.partial.csv")), 60, "it runs")
    children = running.children()
    assert running.end(signal.SIGINT) == 2
    assert "stopped before the end" in running.output
    assert not list(tmp_path.glob("faces*"))
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.long
def test_two_workers_use_different_ports_and_the_detector_settings_apply(run: Callable[..., Running], tmp_path: Path):
    port = str(free_port())
    running = run(
        *EMOTII,
        *("analyze", "demo", "--csv", "faces.csv", "--workers", "2"),
        EMOTII_METRICS_PORT=port,
        EMOTII_MAX_FACES="1",
    )
    assert running.process.wait(100) == 0, running.output
    assert {row["face"] for row in rows(tmp_path / "faces.csv")} == {"0"}


def test_a_damaged_recording_is_reported_in_one_line_without_messages_of_its_decoder(
    run: Callable[..., Running], tmp_path: Path
):
    content = bytearray(DEMO_CLIP.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 6000] = bytes(6000)
    (tmp_path / "hole.mp4").write_bytes(content)
    running = run(*EMOTII, "analyze", "hole.mp4", "--csv", "faces.csv")
    assert running.process.wait(100) == 0, running.output
    assert "120 frames" in running.output
    assert "could not be read, the first is number" in running.output
    assert "mpeg4" not in running.output
    assert "ended at" not in running.output


def test_a_folder_as_table_is_refused_before_anything_starts(run: Callable[..., Running], tmp_path: Path):
    for folder in (".", str(tmp_path)):
        running = run(*EMOTII, "analyze", "demo", "--csv", folder)
        assert running.process.wait(60) == 2
        assert running.output.splitlines() == [f"emotii: cannot write {folder}: it is a folder; name a file"]


def test_a_killed_job_leaves_an_empty_folder_and_keys_that_expire(
    run: Callable[..., Running], server: PrivateServer, clients: Clients, tmp_path: Path
):
    running = run(*EMOTII, "analyze", "demo", "--csv", "faces.csv", EMOTII_REDIS_URL=server.url, TMPDIR=str(tmp_path))
    client = clients.commands
    eventually(lambda: any(client.xlen(key) for key in client.scan_iter("*:crops")), 60, "it sends")
    running.kill()
    assert [path.name for path in tmp_path.glob("emotii-job-*/*")] == ["lock"]
    for key in set(client.scan_iter()) - {keys.SOURCES.encode()}:
        assert 0 < client.ttl(key) <= keys.JOB_KEYS_SECONDS


@pytest.mark.long
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
    analysis = run(*EMOTII, "analyze", "demo", "--csv", "faces.csv", "--passes", str(PASSES), **environment)
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


def test_a_folder_receives_every_output_and_a_model_with_other_classes_uses_its_own_labels(
    run: Callable[..., Running], tmp_path: Path
):
    labels = ("awake", "dozing", "tired", "elsewhere", "hidden")
    model = write_tiny_model(tmp_path / "mine", name="mine", labels=labels)
    running = run(*EMOTII, "analyze", "demo", "--out", "out", EMOTII_MODEL=f"{model}")
    assert running.process.wait(100) == 0, running.output
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {path.name for path in Outputs.all_in(out).wanted.values()}
    lines = [json.loads(line) for line in (out / "readings.jsonl").read_text().splitlines()]
    assert len(lines) == len(rows(out / "readings.csv"))
    assert json.loads((out / "timeline.json").read_text())["labels"] == list(labels)
    page = (out / "report.html").read_text()
    assert "mine@1.0.0" in page
    assert "awake" in page
    assert "happy" not in page
    assert "Written: out/readings.csv" in running.output


def test_a_folder_of_pictures_names_the_picture_in_each_row(run: Callable[..., Running], tmp_path: Path):
    video = cv2.VideoCapture(str(DEMO_CLIP))
    (tmp_path / "photos").mkdir()
    for name in ("b.jpg", "a, first.jpg"):
        cv2.imwrite(str(tmp_path / "photos" / name), video.read()[1])
    (tmp_path / "photos" / "c.jpg").write_bytes(b"no picture")
    running = run(*EMOTII, "analyze", "photos", "--csv", "faces.csv", "--jsonl", "faces.jsonl")
    assert running.process.wait(100) == 0, running.output
    table = rows(tmp_path / "faces.csv")
    assert {(row["frame"], row["file"]) for row in table} == {("0", "a, first.jpg"), ("1", "b.jpg")}
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines if line["kind"] == "unreadable"] == ["c.jpg"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not Linux: no /dev/full")
def test_a_full_disk_ends_in_one_line_and_leaves_nothing(run: Callable[..., Running], tmp_path: Path):
    running = run(*EMOTII, "analyze", "demo", "--csv", "faces.csv", "--timeline", "timeline.png")
    (partial,) = eventually(lambda: list(tmp_path.glob("faces.*.partial.csv")), 60, "the unfinished table")
    partial.unlink()  # long before the first row, since the server starts first
    partial.symlink_to("/dev/full")
    assert running.process.wait(100) == 2
    assert "emotii: cannot write faces.csv: No space left on device" in running.output.splitlines()
    assert "Traceback" not in running.output
    assert not list(tmp_path.glob("*.csv")) + list(tmp_path.glob("*.png"))


@needs_chromium
def test_the_report_is_one_page_that_loads_without_network_requests(run: Callable[..., Running], tmp_path: Path):
    running = run(*EMOTII, "report", "demo", "--out", "report.html")
    assert running.process.wait(100) == 0, running.output
    with chromium() as browser:
        page = browser.new_page()
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.goto((tmp_path / "report.html").as_uri())
        assert page.locator("h1").inner_text() == "demo"
        drawn = page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth > 0)")
    assert len(drawn) >= 3
    assert all(drawn)
    assert troubles == []
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []


@pytest.mark.long
@needs_chromium
def test_a_browser_plays_the_annotated_video_to_its_end(run: Callable[..., Running], tmp_path: Path):
    running = run(*EMOTII, "analyze", "demo", "--annotated", "demo.webm")
    assert running.process.wait(100) == 0, running.output
    (tmp_path / "play.html").write_text('<video muted src="demo.webm"></video>')
    play = """async () => {
        const video = document.querySelector("video");
        video.playbackRate = 4;
        await video.play();
        await new Promise((resolve) => video.addEventListener("ended", resolve));
        return [video.videoWidth, video.videoHeight, video.duration];
    }"""
    with chromium() as browser:
        page = browser.new_page()
        page.goto((tmp_path / "play.html").as_uri())
        width, height, seconds = page.evaluate(play)
    assert (width, height) == (640, 480)
    assert seconds == pytest.approx(8, abs=0.2)
