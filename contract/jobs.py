"""Uploaded jobs: their status in Redis, and their folders, which gateways and the jobs service share."""

import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from contract import keys
from contract.messages.job import JobStatus
from contract.messages.values import RECORD_ID_PATTERN, RESULT_FILE_PATTERN
from contract.redis.stored import StoredHash

JOB_ID = re.compile(RECORD_ID_PATTERN)
RESULT_FILE = re.compile(RESULT_FILE_PATTERN)
UPLOAD = re.compile(r"\.upload-[0-9a-f]{12}")
WORK = "work-"
SILENT_SECONDS = 120.0
"""A gateway aborts an upload whose sender is silent for much less; an older one belongs to a gateway that died."""

UPDATE = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local readable, status = pcall(cjson.decode, stored or '')
if not readable or type(status) ~= 'table' or status.state == 'cancelled' then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
"""EVAL over `keys.JOBS`: id, then its status as JSON. It returns 0 and writes nothing if the job was cancelled,
removed or overwritten by something unreadable meanwhile."""


def stored_jobs() -> StoredHash[JobStatus]:
    """The reader of the hash `keys.JOBS`; what another release wrote and this one cannot read is skipped."""
    return StoredHash(keys.JOBS, JobStatus, named_by="id")


@dataclass(frozen=True)
class JobFiles:
    """The folder of all jobs. Each job has a folder in it, with the recording and its results. Methods block."""

    root: Path

    def of(self, job: str) -> Path:
        """The folder of a job.

        Raises:
            ValueError: `job` is not the id of a job, so the path could lead anywhere.
        """
        if not JOB_ID.fullmatch(job):
            raise ValueError(f"not the id of a job: {job[:40]!r}")
        return self.root / job

    def recording(self, job: str) -> Path:
        """The uploaded recording. Its name is chosen here, so that no client's file name can affect its reader."""
        return self.of(job) / "recording"

    def results(self, job: str) -> Path:
        """The folder of the results; it exists only when they are complete."""
        return self.of(job) / "results"

    def result(self, job: str, name: str) -> Path:
        """One of the files of the results.

        Raises:
            ValueError: `name` is not the name of a file in that folder.
        """
        if not RESULT_FILE.fullmatch(name):
            raise ValueError(f"not the name of a result: {name[:40]!r}")
        return self.results(job) / name

    @contextmanager
    def work(self, job: str) -> Iterator[Path]:
        """A new folder for one execution of the job; the folders of earlier executions are removed.

        Raises:
            OSError: the job's folder is gone, or the disk is full.
        """
        for left in self.of(job).glob(f"{WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=WORK, dir=self.of(job)))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)  # it is gone already if it was published

    def publish(self, job: str, work: Path) -> None:
        """Make the folder of an execution the results.

        Raises:
            OSError: the job's folder is gone.
        """
        shutil.rmtree(self.results(job), ignore_errors=True)  # of an execution that died before it reported them
        work.rename(self.results(job))

    def upload(self, job: str) -> Path:
        """The unfinished file of a recording that is being uploaded."""
        return self.of(job).with_name(f".upload-{job}")

    def adopt(self, job: str) -> None:
        """Make the finished upload the recording of its job."""
        self.of(job).mkdir()
        self.upload(job).rename(self.recording(job))

    def remove(self, job: str) -> bool:
        """Remove the folder of a job; whether nothing is left (a process may be writing into it just now)."""
        shutil.rmtree(self.of(job), ignore_errors=True)
        return not self.of(job).exists()

    def remove_strays(self, known: Collection[str], from_ms: int, to_ms: int) -> list[str]:
        """Remove the folders of unknown jobs, and unfinished uploads, that were last modified in this time span.

        Returns:
            The ids of the removed jobs.
        """
        now_ms = time.time() * 1000

        def due(age_seconds: float) -> bool:
            return from_ms <= now_ms - 1000 * age_seconds <= to_ms

        for upload, age in self._aged(UPLOAD):
            if due(age):
                (self.root / upload).unlink(missing_ok=True)
        strays = [job for job, age in self._aged(JOB_ID) if job not in known and due(age)]
        return [job for job in strays if self.remove(job)]

    def jobs(self) -> Iterator[tuple[str, float]]:
        """The jobs that have a folder, and the age of each folder in seconds."""
        yield from self._aged(JOB_ID)

    def sweep(self) -> int:
        """Remove the unfinished uploads of gateways that died; returns their number."""
        swept = 0
        for name, age in self._aged(UPLOAD):
            if age > SILENT_SECONDS:
                (self.root / name).unlink(missing_ok=True)
                swept += 1
        return swept

    def _aged(self, names: re.Pattern[str]) -> Iterator[tuple[str, float]]:
        with suppress(FileNotFoundError):  # no job was uploaded yet
            for path in self.root.iterdir():
                if names.fullmatch(path.name):
                    with suppress(FileNotFoundError):  # removed meanwhile
                        yield path.name, time.time() - path.stat().st_mtime
