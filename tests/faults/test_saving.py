"""Rows 20 to 22: a full disk, processes that die while they save and erase, and requests from other sites."""

import multiprocessing
import random
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import cv2
import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_socket

from api_gateway.faces.retention import ORPHAN_SECONDS, FaceRetention
from api_gateway.faces.store import FaceStore
from emotii.local.redis_server import PrivateServer
from tests.faults.saving import JPEG, save_and_erase
from tests.stage import GatewayProcess, Producer, gateway_process, until
from tests.viewer import events_of

KILLS = 200
ELSEWHERE = {"Origin": "https://elsewhere.example"}


@pytest.fixture
def gateway(server: PrivateServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    settings = {"history": "0", "log_level": "warning", "jobs": str(tmp_path / "jobs")}
    with Producer(server.url), gateway_process(server.url, tmp_path / "faces", **settings) as gateway:
        until(gateway.ready, 90, "readiness")
        until(gateway.saved, 60, "a saved face")
        yield gateway


@pytest.mark.row(20)
@pytest.mark.short
def test_on_a_full_disk_saving_returns_507_live_readings_continue_and_no_partial_face_is_left(gateway: GatewayProcess):
    process = psutil.Process(gateway.process.pid)
    room = min(path.stat().st_size for path in gateway.saved()) // 2
    _, hard = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (room, hard))  # a write that reaches it is cut off there
    answer = httpx.post(f"{gateway.url}/save_current", timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    with connect_socket(gateway.socket_url) as client:
        until(lambda: next(events_of(client, "stats"))["saving"]["paused"], 30, "the pause, for all to see")
        assert next(events_of(client, "reading"))["emotion"]
    saved = gateway.saved()
    time.sleep(2)
    assert gateway.saved() == saved
    assert all(cv2.imread(str(path)) is not None for path in saved)
    assert [path for path in gateway.folder.rglob("*") if path.is_file()] == sorted(saved)
    process.rlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert httpx.post(f"{gateway.url}/save_current", timeout=20).status_code == 200
    assert len(gateway.saved()) > len(saved)
    assert "Traceback" not in gateway.log.read_text()


@pytest.mark.row(21)
def test_a_gateway_killed_while_saving_and_erasing_leaves_only_complete_faces_and_the_next_one_erases_them(
    tmp_path: Path, record_property
):
    folder, dice = tmp_path / "faces", random.Random(1)
    started = multiprocessing.get_context("forkserver")
    started.set_forkserver_preload(["tests.faults.saving"])
    faces = unfinished = 0
    for _ in range(KILLS):
        begun = started.Event()
        process = started.Process(target=save_and_erase, args=(folder, begun), daemon=True)
        process.start()
        assert begun.wait(30), "it saves no face"
        time.sleep(dice.uniform(0, 0.06))
        assert process.is_alive(), "it ended by itself"
        process.kill()
        process.join()
        left = list(folder.glob("*/*.jpg"))
        assert all(path.read_bytes() == JPEG for path in left), "a part of a face under a face's name"
        faces += len(left)
        unfinished = max(unfinished, len(list(folder.glob("*/.*.part"))))
    record_property("figures", f"{KILLS} kills, {faces} whole faces, {unfinished} unfinished, swept")
    FaceStore(folder).erase()
    assert list(folder.glob("*/*.jpg")) == []
    retention = FaceRetention(folder, timedelta(0), 0)

    def swept() -> bool:
        retention.sweep()
        return not [path for path in folder.rglob("*") if path.is_file()]

    until(swept, 3 * ORPHAN_SECONDS, "the sweep of what is unfinished")


@pytest.mark.row(22)
@pytest.mark.short
@pytest.mark.parametrize(
    "headers",
    [
        ELSEWHERE,
        pytest.param({"Origin": "null"}, marks=pytest.mark.long),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, marks=pytest.mark.long),
    ],
)
def test_a_page_of_another_site_cannot_change_anything(gateway: GatewayProcess, headers: dict[str, str]):
    httpx.patch(f"{gateway.url}/api/v1/settings", json={"saving": False}, timeout=20).raise_for_status()
    time.sleep(2)
    saved = gateway.saved()
    face = f"/api/v1/faces/{saved[0].parent.name}/{saved[0].name}"
    tried = [
        ("POST", "/save_current", None),
        ("GET", "/save_current", None),
        ("DELETE", face, None),
        ("PATCH", face, {"emotion": "sad"}),
        ("PATCH", "/api/v1/settings", {"saving": True}),
        ("POST", "/api/v1/sources", {"name": "evil", "address": "demo"}),
        ("POST", "/api/v1/erasures", {"all": True}),
        ("POST", "/api/v1/jobs", None),
        ("POST", "/api/v1/predict", None),
    ]
    for method, path, body in tried:
        answer = httpx.request(method, gateway.url + path, headers=headers, json=body, timeout=20)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin"), f"{method} {path}"
    for path in ("/ws/emotions", "/ws/camera/evil"):
        with (
            pytest.raises(InvalidStatus),
            connect_socket(gateway.socket_url.replace("/ws/emotions", path), additional_headers=headers),
        ):
            pass
    time.sleep(1)
    assert gateway.saved() == saved
    assert gateway.get("/api/v1/settings").json()["saving"] is False
    assert gateway.get("/api/v1/erasures").json() == {"erasures": []}
