"""Watching one job that runs: it stays ours, its progress goes into the registry, and a cancelled one ends."""

import time
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from contract.errors import BrokerUnavailable, EmotiiError
from contract.messages.job import JobStatus
from contract.redis.broker import Clients, outages_named
from contract.redis.lease import Lease
from jobs_service.analysis.stall_detector import WAITING, StallDetector
from jobs_service.registry import JobRegistry

if TYPE_CHECKING:  # it brings OpenCV, which a jobs service that waits for its first job does without
    from jobs_service.analysis.pipeline import Progress

logger = structlog.get_logger(__name__)

EVERY_SECONDS = 0.5
RENEW_SECONDS = 1.5
READING_SHARE = 0.6
"""Of the progress; the rest is drawing."""


class Cancelled(EmotiiError):  # noqa: N818 - what happened
    """The job was cancelled."""


class Taken(EmotiiError):  # noqa: N818
    """Another jobs service has the job: this one was silent for too long."""


class Claim:
    """The right to run a job, renewed on a thread of its own while it is entered: drawing may take long."""

    def __init__(self, clients: Clients, job: str) -> None:
        self.lost = False
        self._lease = Lease(clients.commands, f"job-{job}")
        self._over = Event()
        self._thread = Thread(target=self._renew, name="claim", daemon=True)

    def take(self) -> bool:
        """Whether it is ours now.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            return self._lease.acquire_or_renew()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        try:
            with outages_named():
                self._lease.release()
        except BrokerUnavailable as error:
            logger.debug("the claim ends by its age", error=str(error))

    def _renew(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                self.lost |= not self.take()
            except BrokerUnavailable as error:
                logger.debug("claim not renewed", error=str(error))  # the analysis says aloud that redis is away


class ProgressReporter:
    """The `Look` of an analysis.

    Args:
        registry: of the jobs.
        job: as it stands there.
        claim: to the job.
        longest: how long it may take.
    """

    def __init__(self, registry: JobRegistry, job: JobStatus, claim: Claim, longest: timedelta) -> None:
        self.job = job
        self._registry = registry
        self._claim = claim
        self._longest = longest
        self._started = time.monotonic()
        self._due = 0.0
        self._patience = StallDetector()

    def __call__(self, progress: "Progress") -> None:
        """Tell how far it is, at most twice a second.

        Raises:
            Cancelled, Taken: there is nothing to go on with.
            EmotiiError: it takes too long.
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + EVERY_SECONDS
        if now - self._started > self._longest.total_seconds():
            raise EmotiiError(f"it took longer than {self._longest} (EMOTII_JOBS_LONGEST)")
        self.check()
        try:
            self._tell(progress)
        except BrokerUnavailable:
            return  # the analysis says so aloud, and waits for it

    def check(self) -> None:
        """See whether the job is ours still.

        Raises:
            Taken: it is not.
        """
        if self._claim.lost:
            raise Taken("another jobs service has this job")

    def _tell(self, progress: "Progress") -> None:
        stuck = not progress.drawing and self._patience.is_over(progress)
        told = self._registry.update(
            self.job,
            progress=_share(progress),
            frames=(progress.total or 0) if progress.drawing else progress.frames,
            faces=progress.faces,
            reason=WAITING if stuck else "",
        )
        if told is None:
            raise Cancelled("the job was cancelled")
        self.job = told


def _share(progress: "Progress") -> float:
    if not progress.total:
        return READING_SHARE if progress.drawing else 0.0
    share = min(1.0, progress.frames / progress.total)
    return round(READING_SHARE + (1 - READING_SHARE) * share if progress.drawing else READING_SHARE * share, 4)
