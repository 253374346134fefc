"""Jobs over REST: real gateway, jobs service, worker and server; killed, cancelled, refused."""

import csv
import io
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from capture_service.sources.spec import DEMO_CLIP
from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from jobs_service.outputs.outputs import Outputs
from tests.acceptance.conftest import Running, eventually
from tests.stage import GatewayProcess, gateway_process

pytestmark = pytest.mark.timeout(300)
FILES = {name.replace("_", ".") for name in Outputs.names()}


class Api:
    """`/api/v1/jobs` of a gateway."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._url = f"{gateway.url}/api/v1/jobs"

    def post(self, content: bytes, name: str = "clip.mp4") -> httpx.Response:
        return httpx.post(self._url, files={"video": (name, content)}, timeout=60)

    def submit(self, content: bytes, name: str = "clip.mp4") -> str:
        answer = self.post(content, name)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def get(self, path: str = "") -> httpx.Response:
        return httpx.get(self._url + path, timeout=30)

    def job(self, job: str) -> dict:
        return self.get(f"/{job}").json()

    def cancel(self, job: str) -> int:
        return httpx.delete(f"{self._url}/{job}", timeout=30).status_code

    def until(self, job: str, state: str, seconds: float = 120) -> dict:
        eventually(lambda: self.job(job)["state"] == state, seconds, f"{state}: {self.job(job)}")
        return self.job(job)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def gateway(server: PrivateServer, tmp_path: Path, folder: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, tmp_path / "faces", jobs=str(folder), jobs_upload_limit="3000000") as running:
        eventually(lambda: _answers(running), 60, "the gateway answers")
        yield running


@pytest.fixture
def api(gateway: GatewayProcess) -> Api:
    return Api(gateway)


@pytest.fixture
def service(run: Callable[..., Running], server: PrivateServer, folder: Path) -> Callable[..., Running]:
    """Starts a jobs service."""

    def start(**more: str) -> Running:
        environment = {"EMOTII_REDIS_URL": server.url, "EMOTII_JOBS": str(folder), "EMOTII_LOG_LEVEL": "info"}
        return run(sys.executable, "-m", "jobs_service", **environment | more)

    return start


@pytest.fixture
def worker(run: Callable[..., Running], server: PrivateServer) -> Callable[[], Running]:
    """Starts a worker."""
    return lambda: run(sys.executable, "-m", "inference_service", EMOTII_REDIS_URL=server.url)


def _answers(gateway: GatewayProcess) -> bool:
    try:
        return gateway.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def test_a_recording_is_uploaded_its_progress_is_shown_and_its_files_are_downloaded(api: Api, service, worker):
    started = [service(), worker()]
    job = api.submit(DEMO_CLIP.read_bytes(), "my clip.mp4")
    done = api.until(job, "done")
    assert (done["name"], done["progress"], done["frames"], done["reason"]) == ("my clip.mp4", 1.0, 120, "")
    assert set(done["files"]) == FILES
    assert done["faces"] > 150
    table = list(csv.DictReader(io.StringIO(api.get(f"/{job}/readings.csv").text)))
    assert len(table) == done["faces"]
    assert len({(row["frame"], row["face"]) for row in table}) == len(table)
    timeline = api.get(f"/{job}/timeline.json").json()
    assert timeline["name"] == "my clip.mp4"
    assert timeline["tracks"]
    kinds = {file: api.get(f"/{job}/{file}") for file in done["files"]}
    assert {answer.status_code for answer in kinds.values()} == {200}
    assert kinds["annotated.webm"].headers["content-type"] == "video/webm"
    assert kinds["timeline.png"].content.startswith(b"\x89PNG")
    assert "sandbox" in kinds["report.html"].headers["content-security-policy"]
    assert "attachment" in kinds["readings.csv"].headers["content-disposition"]
    assert api.get().json()["jobs"][0]["id"] == job
    assert [running.end(signal.SIGTERM) for running in started] == [0, 0]


def test_a_file_that_is_not_a_video_is_a_failed_job_with_a_reason_that_names_no_path(api: Api, service, folder: Path):
    service()
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile '{DEMO_CLIP}'\n".encode()
    for content in (b"words, words, words", DEMO_CLIP.read_bytes()[:5000], playlist, concat):
        job = api.submit(content, "party.mp4")
        failed = api.until(job, "failed")
        assert "party.mp4" in failed["reason"]
        assert str(folder) not in failed["reason"]
        assert failed["files"] == []
        assert left(folder / job) == ["recording"]
        assert api.get(f"/{job}/readings.csv").status_code == 404


@pytest.mark.long
def test_a_killed_service_restarts_the_job_and_gives_up_after_several_attempts(
    api: Api, service, worker, clients: Clients, folder: Path
):
    job = api.submit(DEMO_CLIP.read_bytes())
    assert "no jobs service" in api.job(job)["reason"]
    first = service()
    eventually(lambda: list((folder / job).glob("work-*/readings.*.partial.jsonl")), 60, "it reads")
    first.process.kill()
    first.process.wait()
    service()
    worker()
    done = api.until(job, "done")
    assert done["frames"] == 120
    assert not list((folder / job).glob("work-*"))
    poison = json.loads(clients.commands.hget(keys.JOBS, job)) | {"state": "running", "attempts": 3}
    clients.commands.hset(keys.JOBS, job, json.dumps(poison))
    assert "died several times" in api.until(job, "failed")["reason"]


def test_a_stopped_service_requeues_its_job_and_leaves_no_partial_results(api: Api, service, folder: Path):
    job = api.submit(DEMO_CLIP.read_bytes())
    running = service()
    api.until(job, "running")
    eventually(lambda: list((folder / job).glob("work-*")), 60, "it works")
    assert running.end(signal.SIGTERM) == 0
    assert api.job(job)["state"] == "queued"
    assert left(folder / job) == ["recording"]


@pytest.mark.parametrize("when", ["queued", "running", pytest.param("done", marks=pytest.mark.long)])
def test_a_cancelled_job_leaves_nothing(api: Api, service, worker, clients: Clients, folder: Path, when: str):
    job = api.submit(DEMO_CLIP.read_bytes())
    if when != "queued":
        service()
    if when == "done":
        worker()
    api.until(job, when)
    if when == "running":
        eventually(lambda: list((folder / job).glob("work-*/*")), 60, "it works")
    assert api.cancel(job) == 204
    eventually(lambda: not left(folder), 30, "the folder is empty")
    eventually(lambda: not clients.commands.hexists(keys.JOBS, job), 30, "the registry is empty")
    assert api.get(f"/{job}").status_code == 404
    assert api.cancel(job) == 404
    if when == "running":
        eventually(lambda: not list(clients.commands.scan_iter("*:crops")), 30, "nothing of it is in redis")


def test_an_upload_that_is_too_large_truncated_or_badly_named_leaves_nothing(
    api: Api, gateway: GatewayProcess, folder: Path
):
    assert api.post(b"x" * 4_000_000).status_code == 413
    assert api.post(b"").status_code == 422
    for name in ("../../etc/cron.d/x", "a/b.mp4"):
        refused = api.post(b"video", name)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_name")

    def endless() -> Iterator[bytes]:  # states no length
        yield b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
        for _ in range(100):
            yield bytes(65536)

    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert httpx.post(f"{gateway.url}/api/v1/jobs", content=endless(), headers=kind, timeout=60).status_code == 413
    assert httpx.post(f"{gateway.url}/api/v1/jobs", content=b"x", timeout=60).status_code == 415
    assert left(folder) == []
    assert api.get().json() == {"jobs": []}


def test_only_result_files_can_be_downloaded(api: Api):
    job = api.submit(DEMO_CLIP.read_bytes())
    for path in ("..%2frecording", "%2e%2e/recording", "recording", "x" * 300, "readings.csv%00"):
        assert api.get(f"/{job}/{path}").status_code in {404, 409}, path


def test_a_gateway_killed_during_an_upload_leaves_no_job_and_its_partial_file_is_removed(
    gateway: GatewayProcess, service, folder: Path, clients: Clients
):
    def slow() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
        yield bytes(200_000)
        eventually(lambda: list(folder.glob(".upload-*")), 30, "the upload has begun")
        gateway.process.kill()
        gateway.process.wait()
        for _ in range(50):
            yield bytes(65536)

    kind = {"content-type": "multipart/form-data; boundary=x"}
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{gateway.url}/api/v1/jobs", content=slow(), headers=kind, timeout=60)
    (half,) = folder.iterdir()
    assert clients.commands.hlen(keys.JOBS) == 0
    import os

    os.utime(half, (time.time() - 300,) * 2)
    service()
    eventually(lambda: not left(folder), 60, "the half file is swept")


def test_jobs_are_removed_after_their_retention(api: Api, service, clients: Clients, folder: Path):
    job = api.submit(b"no video")
    service(EMOTII_JOBS_KEEP="1s")
    eventually(lambda: api.get(f"/{job}").status_code == 404, 60, "it is gone")
    assert left(folder) == []
