"""The jobs service as a process, with a real server and a worker in the test's process."""

import json
import os
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract import keys
from contract.jobs import JobFiles, stored_jobs
from contract.messages.job import JobStatus
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from jobs_service.registry import JobRegistry
from jobs_service.retention import RetentionPolicy
from tests.inference import processes, until, working

JOB = "0123456789ab"
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def damaged_clip(tmp_path: Path) -> bytes:
    """A second of noise, with a hole in the middle of the file that some frames fall into."""
    path = tmp_path / "damaged.mp4"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (160, 120))
    noise = np.random.default_rng(0)
    for _ in range(25):
        writer.write(noise.integers(0, 256, (120, 160, 3), dtype=np.uint8))
    writer.release()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    return bytes(content)


@pytest.mark.long
def test_a_job_that_is_done_reports_the_frames_that_could_not_be_read(
    server: PrivateServer, clients: Clients, damaged_clip: bytes, tmp_path: Path
):
    files = JobFiles(tmp_path / "jobs")
    files.recording(JOB).parent.mkdir(parents=True)
    files.recording(JOB).write_bytes(damaged_clip)
    queued = JobStatus(id=JOB, name="party.mp4", created_ms=1, changed_ms=1)
    clients.commands.hset(keys.JOBS, JOB, queued.model_dump_json())

    def job() -> JobStatus:
        stored = clients.commands.hget(keys.JOBS, JOB)
        assert stored is not None
        status = stored_jobs().message(JOB, stored)
        assert status is not None
        return status

    with working(server.url), processes() as start:
        service = start(server.url, "jobs_service", jobs=files.root, log_level="warning")
        until(lambda: job().over, 90)
        service.terminate()
        _, log = service.communicate(timeout=30)
    assert job().state == "done", job()
    reason = "3 frames could not be read, the first is number 5: the frame is damaged, or refers to a damaged one"
    assert reason in job().reason
    assert "3 frames could not be read" in log


PATHS = {
    "absolute": "{precious}",
    "upwards": "../precious",
    "the folder of all jobs": "",
    "the same folder": ".",
    "an upload": ".upload-0123456789ab",
    "long": "a" * 5000,
}


@pytest.mark.parametrize("field", ["the id", "0123456789ab"])
@pytest.mark.parametrize("kind", PATHS)
def test_no_entry_of_the_registry_makes_the_service_remove_a_folder_that_is_not_its_jobs(
    clients: Clients, tmp_path: Path, kind: str, field: str
):
    precious, files = tmp_path / "precious", JobFiles(tmp_path / "jobs")
    for folder in (precious, files.of(JOB), files.root / ".upload-0123456789ab"):
        folder.mkdir(parents=True)
        (folder / "file").write_text("kept")
    attack = PATHS[kind].format(precious=precious)
    entry = {"v": 1, "id": attack, "name": "a.mp4", "state": "cancelled", "created_ms": 1, "changed_ms": 1}
    clients.commands.hset(keys.JOBS, attack if field == "the id" else field, json.dumps(entry))
    registry = JobRegistry(clients)
    retention = RetentionPolicy(registry, files, timedelta(days=7))
    retention.apply(registry.jobs())
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("file")) == [
        "jobs/.upload-0123456789ab/file",
        "jobs/0123456789ab/file",
        "precious/file",
    ]


def test_the_folder_of_a_job_that_this_release_cannot_read_is_no_orphan(clients: Clients, tmp_path: Path):
    files = JobFiles(tmp_path / "jobs")
    files.of(JOB).mkdir(parents=True)
    os.utime(files.of(JOB), (1, 1))
    clients.commands.hset(keys.JOBS, JOB, '{"v": 2, "of": "a later release"}')
    registry = JobRegistry(clients)
    RetentionPolicy(registry, files, timedelta(days=7)).apply(registry.jobs())
    assert files.of(JOB).is_dir()
