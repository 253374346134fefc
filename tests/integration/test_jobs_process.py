"""The process of a job: whatever it does, the jobs service ends it, and goes on with the next job."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest
import redis.asyncio

from api_gateway.uploads.jobs import Jobs
from capture_service.sources.spec import DEMO_CLIP
from contract import keys
from contract.jobs import JobFiles, stored_jobs
from contract.messages import SourceStatus
from contract.messages.job import JobStatus
from contract.redis.broker import Clients
from contract.redis.clock import RedisClock
from emotii.local.redis_server import PrivateServer
from tests.inference import processes, until, working

FIRST, SECOND = "0123456789ab", "cdef01234567"
pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")]


class Queue:
    """The jobs of a folder, and a jobs service that runs them."""

    def __init__(self, server: PrivateServer, clients: Clients, folder: Path) -> None:
        self.files = JobFiles(folder / "jobs")
        self.url = server.url
        self._clients = clients
        self._service: Popen[str] | None = None

    def add(self, job: str, content: bytes) -> None:
        self.files.recording(job).parent.mkdir(parents=True)
        self.files.recording(job).write_bytes(content)
        status = JobStatus(id=job, name="party.mp4", created_ms=int(job == SECOND) + 1, changed_ms=1)
        self._clients.commands.hset(keys.JOBS, job, status.model_dump_json())

    def job(self, job: str) -> JobStatus | None:
        stored = self._clients.commands.hget(keys.JOBS, job)
        return stored_jobs().message(job, stored) if stored else None

    def reason(self, job: str, state: str, seconds: float = 90) -> str:
        """The reason of a job once it is in this state."""
        until(lambda: (status := self.job(job)) is not None and status.state == state, seconds)
        status = self.job(job)
        assert status is not None
        return status.reason

    @contextmanager
    def running(self, **settings: object) -> Iterator[Popen[str]]:
        with processes() as start:
            self._service = start(self.url, "jobs_service", jobs=self.files.root, log_level="warning", **settings)
            yield self._service

    def process(self) -> int:
        """The process of the running job, once it has sent frames."""
        assert self._service is not None
        until(self._sends, 60)
        children = Path(f"/proc/{self._service.pid}/task/{self._service.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])

    def _sends(self) -> bool:
        statuses = self._clients.commands.hvals(keys.SOURCES)
        return any(SourceStatus.model_validate_json(status).frames for status in statuses)

    def cancel(self, job: str) -> None:
        """As the gateway does it for DELETE /api/v1/jobs/{id} and for an erasure."""

        async def cancel_job() -> None:
            async with redis.asyncio.Redis.from_url(self.url) as client:
                await Jobs(client, RedisClock(), self.files.root, 10_000_000).cancel(job)

        asyncio.run(cancel_job())


@pytest.fixture
def queue(server: PrivateServer, clients: Clients, tmp_path: Path) -> Queue:
    return Queue(server, clients, tmp_path)


def open_files(process: int) -> list[str]:
    """The files that a process has open; none if it has ended."""
    try:
        return [os.readlink(fd) for fd in Path(f"/proc/{process}/fd").iterdir()]
    except FileNotFoundError:
        return []


@pytest.mark.long
def test_a_recording_that_hangs_its_decoder_is_ended_by_its_time_limit_or_by_cancelling_it(queue: Queue):
    queue.add(FIRST, DEMO_CLIP.read_bytes())
    queue.add(SECOND, DEMO_CLIP.read_bytes())
    with queue.running(jobs_step_timeout="2s"):
        hanging = queue.process()
        os.kill(hanging, signal.SIGSTOP)  # no code of it runs any more, as in a decoder that never returns
        assert "one step took longer than 0:00:02 (EMOTII_JOBS_STEP_TIMEOUT)" in queue.reason(FIRST, "failed")
        assert not Path(f"/proc/{hanging}").exists()

        queue.reason(SECOND, "running")
        hanging = queue.process()
        os.kill(hanging, signal.SIGSTOP)
        queue.cancel(SECOND)
        assert open_files(hanging) == []
        assert not queue.files.of(SECOND).exists()
        assert queue.job(SECOND) is None


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        (signal.SIGSEGV, "failed", "its process ended with SIGSEGV"),
        (signal.SIGKILL, "done", ""),
    ],
    ids=["a crash fails", "an end by the system is tried again"],
)
def test_a_process_that_dies_ends_neither_the_jobs_service_nor_the_queue(
    queue: Queue, number: signal.Signals, state: str, reason: str
):
    queue.add(FIRST, DEMO_CLIP.read_bytes())
    queue.add(SECOND, b"no video")
    with queue.running() as service:
        os.kill(queue.process(), number)
        with working(queue.url):
            assert reason in queue.reason(FIRST, state)
            assert "not a readable video" in queue.reason(SECOND, "failed")
        assert service.poll() is None


@pytest.mark.long
def test_a_process_that_hangs_ends_with_its_jobs_service(queue: Queue):
    queue.add(FIRST, DEMO_CLIP.read_bytes())
    with queue.running() as service:
        hanging = queue.process()
        os.kill(hanging, signal.SIGSTOP)
        service.kill()
        service.wait()
        until(lambda: open_files(hanging) == [])


def test_a_recording_that_needs_too_much_memory_fails_with_the_setting(queue: Queue):
    queue.add(FIRST, DEMO_CLIP.read_bytes())
    queue.add(SECOND, b"no video")
    with queue.running(process_memory_mb=500):
        assert "needs more memory than 500 MB (EMOTII_PROCESS_MEMORY_MB)" in queue.reason(FIRST, "failed")
        queue.reason(SECOND, "failed")
