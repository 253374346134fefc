"""Reporting the progress of a running job to the registry."""

import time
from datetime import timedelta

import structlog

from contract.errors import BrokerUnavailable, EmotiiError, reason_of
from contract.messages.job import JobStatus
from jobs_service.analysis.progress import Progress, StallDetector
from jobs_service.claim import Claim
from jobs_service.registry import JobRegistry

logger = structlog.get_logger(__name__)

REPORT_SECONDS = 0.5
READING_SHARE = 0.6
"""Share of the progress when all outcomes are read; the rest is drawing."""


class JobCancelled(EmotiiError):  # noqa: N818 - what happened
    """The job was cancelled."""


class ProgressReporter:
    """The `ProgressCallback` of a job. It ends the analysis if the job must not continue.

    Args:
        registry: of the jobs.
        job: its status in the registry; the attribute is the status as last written.
        claim: to the job.
        max_duration: of the job.
    """

    def __init__(self, registry: JobRegistry, job: JobStatus, claim: Claim, max_duration: timedelta) -> None:
        self.job = job
        self.claim = claim
        self._registry = registry
        self._max_duration = max_duration
        self._started = time.monotonic()
        self._due = 0.0
        self._stall_detector = StallDetector()

    def __call__(self, progress: Progress) -> None:
        """Write the progress into the registry, at most twice a second.

        Raises:
            JobCancelled: the job was cancelled.
            ClaimLost: another jobs service has claimed the job.
            EmotiiError: the job takes too long.
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + REPORT_SECONDS
        if now - self._started > self._max_duration.total_seconds():
            raise EmotiiError(f"the job took longer than {self._max_duration} (EMOTII_JOBS_LONGEST)")
        self.claim.check()
        try:
            self._write(progress)
        except BrokerUnavailable as error:
            logger.debug("progress not reported", error=reason_of(error))  # the analysis logs the outage as a warning

    def _write(self, progress: Progress) -> None:
        stalled = "" if progress.drawing else self._stall_detector.reason(progress)
        updated = self._registry.update(
            self.job,
            progress=_share(progress),
            frames=(progress.total or 0) if progress.drawing else progress.frames,
            faces=progress.faces,
            reason=stalled,
        )
        if updated is None:
            raise JobCancelled("the job was cancelled")
        self.job = updated


def _share(progress: Progress) -> float:
    if not progress.total:
        return READING_SHARE if progress.drawing else 0.0
    share = min(1.0, progress.frames / progress.total)
    return round(READING_SHARE + (1 - READING_SHARE) * share if progress.drawing else READING_SHARE * share, 4)
