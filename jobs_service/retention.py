"""The folder of the jobs in order: nothing is left of what was cancelled, broken off or kept long enough."""

import time
from collections.abc import Sequence
from datetime import timedelta

import structlog

from contract.jobs import JobFiles
from contract.messages.job import JobStatus
from jobs_service.registry import JobRegistry

logger = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
STRAY_SECONDS = 120.0
"""The folder of a job is made just before the job is in the registry."""


class RetentionPolicy:
    """Looks after what is on the disk.

    Args:
        registry: of the jobs.
        files: of the jobs.
        keep: how long a job that is over stays; 0: for ever.
    """

    def __init__(self, registry: JobRegistry, files: JobFiles, keep: timedelta) -> None:
        self._registry = registry
        self._files = files
        self._keep_ms = round(keep.total_seconds() * 1000)
        self._due = 0.0

    def look(self, jobs: Sequence[JobStatus]) -> None:
        """Remove what was cancelled, at once; and now and then what is old or belongs to nothing.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        for job in jobs:
            if job.state == "cancelled":
                self.clear(job.id)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY_SECONDS
            self._remove_old(jobs)
            self._remove_stray(jobs)
            if swept := self._files.sweep():
                logger.info("unfinished recordings removed", files=swept)

    def clear(self, job: str) -> None:
        """Remove all of a job that was cancelled, on the disk and in the registry.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        if self._files.remove(job):
            self._registry.forget(job)

    def _remove_old(self, jobs: Sequence[JobStatus]) -> None:
        now_ms = self._registry.now_ms()
        for job in jobs:
            if self._keep_ms and job.over and now_ms - job.changed_ms > self._keep_ms:
                logger.info("job removed by its age", job=job.id)
                self.clear(job.id)

    def _remove_stray(self, jobs: Sequence[JobStatus]) -> None:
        """Folders that no job in the registry has: a gateway died before it could write it there, or Redis lost it.

        Results that Redis forgot stay as long as others.
        """
        known = {job.id for job in jobs}
        for job, age_seconds in self._files.jobs():
            if job not in known and age_seconds > self._stray_seconds(job):
                logger.info("stray folder removed", job=job)
                self._files.remove(job)

    def _stray_seconds(self, job: str) -> float:
        if not self._files.results(job).is_dir():
            return STRAY_SECONDS
        return self._keep_ms / 1000 if self._keep_ms else float("inf")
