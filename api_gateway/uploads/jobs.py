"""Jobs: uploads recordings for the jobs service, cancels jobs and serves their files."""

import asyncio
import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import redis.asyncio

from api_gateway.uploads.errors import (
    DiskFull,
    DiskUnwritable,
    JobFileNotFound,
    JobNotDone,
    JobNotFound,
    JobStillRunning,
    TooManyUploads,
    UnreadableVideo,
)
from api_gateway.uploads.multipart import MultipartFile
from api_gateway.uploads.request_body import recording_too_large
from contract import disk, keys
from contract.jobs import JOB_ID, UPDATE, JobFiles, stored_jobs
from contract.messages.job import JobStatus
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock

MOST_UNFINISHED = 100
"""Jobs that may wait; the recordings of all of them are on the disk."""
END_POLL_SECONDS, END_POLLS = 0.1, 150
"""By then the process of a cancelled job has ended, or the lease of a jobs service that died has expired."""
NO_SERVICE = "no jobs service is running (emotii jobs starts one)"


class Jobs:
    """The registry and the files of all jobs.

    Args:
        client: for commands.
        clock: for the times in the registry.
        folder: of the files, shared with the jobs service; created with the first job.
        limit: the largest recording, in bytes.
    """

    def __init__(self, client: redis.asyncio.Redis, clock: RedisClock, folder: Path, limit: int) -> None:
        self._client = client
        self._clock = clock
        self._files = JobFiles(folder)
        self._stored = stored_jobs()
        self._limit = limit
        self._arriving = 0
        """Recordings that are being uploaded to this gateway."""

    async def all(self) -> list[JobStatus]:
        """Every job, the newest first.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            stored, runner = await asyncio.gather(
                self._stored.read_async(self._client), self._client.exists(keys.JOBS_RUNNER)
            )
        found = [_with_reason(job, bool(runner)) for job in stored.values()]
        return sorted(found, key=lambda job: (job.created_ms, job.id), reverse=True)

    async def get(self, job: str) -> JobStatus:
        """One job.

        Raises:
            JobNotFound: there is none of this id.
            BrokerUnavailable: Redis cannot be reached.
        """
        status = None
        if JOB_ID.fullmatch(job):
            with outages_named():
                stored, runner = await asyncio.gather(
                    self._client.hget(keys.JOBS, job), self._client.exists(keys.JOBS_RUNNER)
                )
            status = self._stored.message(job, stored)
        if status is None:
            raise JobNotFound(f"no job {job[:32]!r}")
        return _with_reason(status, bool(runner))

    async def submit(self, recording: MultipartFile) -> JobStatus:
        """Write a recording to disk as it arrives, and queue its job. If anything fails, no part of it stays.

        Raises:
            TooManyUploads: too many jobs wait.
            UploadTooLarge: the recording is above the limit.
            UnreadableVideo: it is empty.
            MalformedForm, MissingFile, BadFileName: as `MultipartFile` raises them.
            DiskFull, DiskUnwritable: it cannot be written.
            BrokerUnavailable: Redis cannot be reached.
        """
        if sum(not job.over for job in await self.all()) + self._arriving >= MOST_UNFINISHED:
            raise TooManyUploads(f"{MOST_UNFINISHED} jobs are waiting; try again later")
        job = uuid.uuid4().hex[:12]
        self._arriving += 1
        try:
            await self._write(job, recording)
            now_ms = self._clock.now_ms()
            status = JobStatus(id=job, name=recording.name, created_ms=now_ms, changed_ms=now_ms)
            await asyncio.to_thread(self._files.adopt, job)
            with outages_named():
                await self._client.hset(keys.JOBS, job, status.model_dump_json())
        except OSError as error:
            await self._drop(job)
            raise _unwritable(error) from error
        except BaseException:
            await self._drop(job)
            raise
        finally:
            self._arriving -= 1
        return status

    async def cancel(self, job: str) -> None:
        """Stop a job if it runs, and remove its recording and files. When this returns, no process has them open.

        Raises:
            JobNotFound: there is none of this id.
            JobStillRunning: its process has not ended in time.
            BrokerUnavailable: Redis cannot be reached.
        """
        update = {"state": "cancelled", "changed_ms": self._clock.now_ms(), "files": ()}
        cancelled = (await self.get(job)).model_copy(update=update)
        with outages_named():
            # Published first: if this process dies here, the jobs service removes the files.
            await self._client.eval(UPDATE, 1, keys.JOBS, job, cancelled.model_dump_json())
            await asyncio.to_thread(self._files.remove, job)
            await self._wait_for_end(job)
            # Again: its process may have written meanwhile. While anything is left, the jobs service tries, too.
            if await asyncio.to_thread(self._files.remove, job):
                await self._client.hdel(keys.JOBS, job)

    async def erase(self, from_ms: int, to_ms: int, skew_ms: int) -> list[str]:
        """Cancel and remove every job that was submitted within a span of time, and folders that belong to no job.

        Args:
            from_ms: start of the span, in Redis's time.
            to_ms: its end, included.
            skew_ms: by how much this host's clock is ahead of Redis's.

        Returns:
            The ids of the jobs.

        Raises:
            OSError: a folder cannot be removed.
            JobStillRunning: the process of a job has not ended in time.
            BrokerUnavailable: Redis cannot be reached.
        """
        known = await self.all()
        wanted = [job.id for job in known if from_ms <= job.created_ms <= to_ms]
        for job in wanted:
            with suppress(JobNotFound):  # removed meanwhile
                await self.cancel(job)
        names = {job.id for job in known}
        return wanted + await asyncio.to_thread(self._files.remove_strays, names, from_ms + skew_ms, to_ms + skew_ms)

    async def file(self, job: str, name: str) -> Path:
        """The path of one of the files of a job.

        Raises:
            JobNotFound: there is no such job.
            JobNotDone: it has no files yet.
            JobFileNotFound: it has no such file, or the file was removed.
        """
        status = await self.get(job)
        if name not in status.files:
            if not status.over:
                raise JobNotDone(f"job {job} is {status.state}; its files come when it is done")
            known = ", ".join(status.files) or "none"
            raise JobFileNotFound(f"job {job} has no file {name[:64]!r}; it has: {known}")
        path = self._files.result(job, name)
        if not await asyncio.to_thread(path.is_file):
            raise JobFileNotFound(f"{name} of job {job} is gone")
        return path

    async def sweep(self) -> int:
        """Remove the unfinished uploads of gateways that died; returns how many there were."""
        return await asyncio.to_thread(self._files.sweep)

    async def _write(self, job: str, recording: MultipartFile) -> None:
        upload = self._files.upload(job)
        await asyncio.to_thread(upload.parent.mkdir, parents=True, exist_ok=True)
        size = 0
        with await asyncio.to_thread(upload.open, "xb") as file:
            async for chunk in recording:
                size += len(chunk)
                if size > self._limit:
                    raise recording_too_large(self._limit)
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_to_disk, file)
        if not size:
            raise UnreadableVideo("the video has no bytes")

    async def _wait_for_end(self, job: str) -> None:
        """Wait until no process runs a job: a jobs service claims it until its process has ended."""
        for _ in range(END_POLLS):
            if not await self._client.exists(keys.lease(f"job-{job}")):
                return
            await asyncio.sleep(END_POLL_SECONDS)
        raise JobStillRunning(f"job {job} is cancelled, but its process has not ended yet")

    async def _drop(self, job: str) -> None:
        await asyncio.to_thread(self._files.upload(job).unlink, missing_ok=True)
        await asyncio.to_thread(self._files.remove, job)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _with_reason(job: JobStatus, runner: bool) -> JobStatus:
    """The job; while no jobs service runs, one that waits for it states that as its reason."""
    return job if runner or job.over else job.model_copy(update={"reason": NO_SERVICE})


def _unwritable(error: OSError) -> DiskFull | DiskUnwritable:
    trouble = disk.trouble("EMOTII_JOBS", error)
    return DiskFull(f"{trouble}; cancel jobs or make room") if disk.is_full(error) else DiskUnwritable(trouble)
