"""Jobs: recordings taken in for the jobs service, watched, cancelled and handed out again."""

import asyncio
import errno
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import redis.asyncio

from api_gateway.errors import ApiError
from api_gateway.uploads.multipart import MultipartFile
from contract import keys
from contract.jobs import JOB_ID, UPDATE, JobFiles, read_status
from contract.messages.job import JobStatus
from contract.redis.broker import outages_named
from contract.redis.clock import RedisClock

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
MOST_UNFINISHED = 100
"""Jobs that may wait: their recordings all stand on the disk."""
NOBODY = "no jobs service is running (emotii jobs starts one)"


class Jobs:
    """The registry and the files of all jobs.

    Args:
        client: for commands.
        clock: for the times in the registry.
        folder: of the files, shared with the jobs service; made with the first of them.
        limit: the largest recording, in bytes.
    """

    def __init__(self, client: redis.asyncio.Redis, clock: RedisClock, folder: Path, limit: int) -> None:
        self._client = client
        self._clock = clock
        self._files = JobFiles(folder)
        self._limit = limit

    async def all(self) -> list[JobStatus]:
        """Every job, the newest first.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            stored, runner = await asyncio.gather(self._client.hvals(keys.JOBS), self._client.get(keys.JOBS_RUNNER))
        found = [_told(job, bool(runner)) for value in stored if (job := read_status(value)) is not None]
        return sorted(found, key=lambda job: (job.created_ms, job.id), reverse=True)

    async def get(self, job: str) -> JobStatus:
        """One job.

        Raises:
            ApiError: there is none of this id.
            BrokerUnavailable: Redis cannot be reached.
        """
        status = None
        if JOB_ID.fullmatch(job):
            with outages_named():
                stored, runner = await asyncio.gather(
                    self._client.hget(keys.JOBS, job), self._client.get(keys.JOBS_RUNNER)
                )
            status = read_status(stored) if stored else None
        if status is None:
            raise ApiError(404, "unknown_job", f"no job {job[:32]!r}")
        return _told(status, bool(runner))

    async def take_in(self, recording: MultipartFile) -> JobStatus:
        """Put a recording on disk as it comes, and queue its job. Whatever goes wrong, no part of it stays.

        Raises:
            ApiError: it cannot be read, is too large or empty, the disk is full, or too many jobs wait.
            BrokerUnavailable: Redis cannot be reached.
        """
        if sum(not job.over for job in await self.all()) >= MOST_UNFINISHED:
            raise ApiError(503, "busy", f"{MOST_UNFINISHED} jobs are waiting; try again later")
        job = uuid.uuid4().hex[:12]
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
        return status

    async def cancel(self, job: str) -> None:
        """Stop a job if it runs, and remove all of it.

        Raises:
            ApiError: there is none of this id.
            BrokerUnavailable: Redis cannot be reached.
        """
        update = {"state": "cancelled", "changed_ms": self._clock.now_ms(), "files": ()}
        cancelled = (await self.get(job)).model_copy(update=update)
        with outages_named():
            # Said first: if this process dies here, the jobs service does the rest.
            await self._client.eval(UPDATE, 1, keys.JOBS, job, cancelled.model_dump_json())
            if await asyncio.to_thread(self._files.remove, job):
                await self._client.hdel(keys.JOBS, job)

    async def erase(self, from_ms: int, to_ms: int, skew_ms: int) -> list[str]:
        """Cancel and remove every job that was handed in from one moment to the other, and folders of no job's.

        Args:
            from_ms: in Redis's time.
            to_ms: as well.
            skew_ms: by how much this host's clock is ahead of that.

        Returns:
            Their ids; processes that ran one may need a moment to end it.

        Raises:
            OSError: a folder cannot be removed.
            BrokerUnavailable: Redis cannot be reached.
        """
        known = await self.all()
        wanted = [job.id for job in known if from_ms <= job.created_ms <= to_ms]
        for job in wanted:
            with suppress(ApiError):  # removed meanwhile
                await self.cancel(job)
        names = {job.id for job in known}
        return wanted + await asyncio.to_thread(self._files.remove_strays, names, from_ms + skew_ms, to_ms + skew_ms)

    async def any_claimed(self, jobs: Iterable[str]) -> bool:
        """Whether a process still holds one of these jobs.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        claims = [keys.lease(f"job-{job}") for job in jobs]
        with outages_named():
            return bool(claims and await self._client.exists(*claims))

    async def file(self, job: str, name: str) -> Path:
        """The path of one of the files of a job.

        Raises:
            ApiError: there is no such job, it is not done, or it has no such file.
        """
        status = await self.get(job)
        if name in status.files:
            return self._files.results(job) / name
        if not status.over:
            raise ApiError(409, "not_done", f"job {job} is {status.state}; its files come when it is done")
        known = ", ".join(status.files) or "none"
        raise ApiError(404, "unknown_file", f"job {job} has no file {name[:64]!r}; it has: {known}")

    async def sweep(self) -> int:
        """Remove what gateways that died left of recordings that were being handed in; how many it was."""
        return await asyncio.to_thread(self._files.sweep)

    async def _write(self, job: str, recording: MultipartFile) -> None:
        upload = self._files.upload(job)
        await asyncio.to_thread(upload.parent.mkdir, parents=True, exist_ok=True)
        size = 0
        with await asyncio.to_thread(upload.open, "xb") as file:
            async for chunk in recording:
                size += len(chunk)
                if size > self._limit:
                    raise self.too_large()
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_to_disk, file)
        if not size:
            raise ApiError(422, "unreadable_video", "the video has no bytes")

    async def _drop(self, job: str) -> None:
        await asyncio.to_thread(self._files.upload(job).unlink, missing_ok=True)
        await asyncio.to_thread(self._files.remove, job)

    def too_large(self) -> ApiError:
        return ApiError(413, "too_large", f"a video may have {self._limit} bytes (EMOTII_JOBS_UPLOAD_LIMIT)")


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _told(job: JobStatus, runner: bool) -> JobStatus:
    """As it stands in the registry; one that nobody will take says so."""
    return job if runner or job.over else job.model_copy(update={"reason": NOBODY})


def _unwritable(error: OSError) -> ApiError:
    if error.errno in FULL:
        return ApiError(507, "disk_full", "the disk of EMOTII_JOBS is full; cancel jobs or make room")
    return ApiError(507, "disk_unwritable", f"no video can be written into EMOTII_JOBS: {error.strerror}")
