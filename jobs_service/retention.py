"""Retention of jobs: what was cancelled, abandoned or kept for long enough is removed."""

import time
from collections.abc import Sequence
from datetime import timedelta

import structlog

from contract.jobs import JobFiles
from contract.messages.job import JobStatus
from jobs_service.registry import JobRegistry

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 10.0
ORPHAN_SECONDS = 120.0
"""The folder of a job is created shortly before the job is in the registry, so a young folder is no orphan."""


class RetentionPolicy:
    """Removes jobs from the disk and from the registry.

    Args:
        registry: of the jobs.
        files: of the jobs.
        keep: how long a job is kept after its end; 0 keeps it without a limit.
    """

    def __init__(self, registry: JobRegistry, files: JobFiles, keep: timedelta) -> None:
        self._registry = registry
        self._files = files
        self._keep_ms = round(keep.total_seconds() * 1000)
        self._sweep_due = 0.0

    def apply(self, jobs: Sequence[JobStatus]) -> None:
        """Remove cancelled jobs at once; every `SWEEP_SECONDS` also expired jobs, orphaned folders and dead uploads.

        Args:
            jobs: all jobs of the registry.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        for job in jobs:
            if job.state == "cancelled":
                self.remove(job.id)
        if time.monotonic() >= self._sweep_due:
            self._sweep_due = time.monotonic() + SWEEP_SECONDS
            self._remove_expired(jobs)
            self._remove_orphans(jobs)
            if removed := self._files.sweep():
                logger.info("unfinished uploads removed", files=removed)

    def remove(self, job_id: str) -> None:
        """Remove a job from the disk and then from the registry.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        if self._files.remove(job_id):
            self._registry.remove(job_id)

    def _remove_expired(self, jobs: Sequence[JobStatus]) -> None:
        now_ms = self._registry.now_ms()
        for job in jobs:
            if self._keep_ms and job.over and now_ms - job.changed_ms > self._keep_ms:
                logger.info("expired job removed", job=job.id)
                self.remove(job.id)

    def _remove_orphans(self, jobs: Sequence[JobStatus]) -> None:
        """Remove folders without a job: a gateway died before it registered the job, or Redis lost it.

        Results that Redis lost are kept as long as others.
        """
        if (unreadable := self._registry.unreadable) and "" in unreadable:
            return  # the key as a whole: nobody knows which jobs there are
        known = {job.id for job in jobs} | unreadable
        for job_id, age_seconds in self._files.jobs():
            if job_id not in known and age_seconds > self._orphan_seconds(job_id):
                logger.info("orphaned folder removed", job=job_id)
                self._files.remove(job_id)

    def _orphan_seconds(self, job_id: str) -> float:
        if not self._files.results(job_id).is_dir():
            return ORPHAN_SECONDS
        return self._keep_ms / 1000 if self._keep_ms else float("inf")
