"""Running jobs, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import structlog

from contract.errors import BrokerUnavailable, EmotiiError, JobStopped, reason_of
from contract.messages.job import JobState, JobStatus
from contract.redis.broker import Backoff, Clients
from contract.redis.outage import OutageLog, retry_until_stored
from jobs_service.claim import Claim, ClaimLost
from jobs_service.execution import JobExecution, JobKilled
from jobs_service.progress_reporter import JobCancelled, ProgressReporter
from jobs_service.registry import JobRegistry
from jobs_service.retention import RetentionPolicy

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
MAX_ATTEMPTS = 3
"""A job whose process or jobs service was killed so often fails."""


@dataclass
class JobRunner:
    """Runs the oldest job that no other jobs service has claimed. Several runners may run at the same time."""

    clients: Clients
    registry: JobRegistry
    retention: RetentionPolicy
    execution: JobExecution
    max_duration: timedelta
    """Of one job."""
    _outages: OutageLog = field(default_factory=OutageLog, init=False)

    def run(self, stop: Event) -> None:
        """Run jobs until `stop` is set; wait while Redis cannot be reached."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                jobs = self.registry.jobs()
                self.retention.apply(jobs)
                self._outages.recovered()
                backoff.reset()
                if not any(self._run_job(job, stop) for job in jobs if not job.over):
                    stop.wait(POLL_SECONDS)
            except BrokerUnavailable as error:
                self._outages.failed(error)
                stop.wait(backoff.next())

    def _run_job(self, job: JobStatus, stop: Event) -> bool:
        """Run a job if it still exists and no other jobs service has claimed it; whether that was so."""
        claim = Claim(self.clients, job.id)
        if not claim.acquire():
            return False
        with claim:
            if job.attempts >= MAX_ATTEMPTS:
                self._store(job, "failed", stop, reason="the process died several times during this job")
                return True
            started = self.registry.update(job, state="running", attempts=job.attempts + 1, progress=0.0, reason="")
            if started is None:
                return False
            logger.info("job started", job=job.id, attempt=started.attempts)
            self._execute(ProgressReporter(self.registry, started, claim, self.max_duration), stop)
        return True

    def _execute(self, reporter: ProgressReporter, stop: Event) -> None:
        """Execute the job of `reporter` and store how it ended."""
        log = logger.bind(job=reporter.job.id)
        try:
            result = self.execution.run(reporter, stop)
        except ClaimLost as error:
            log.warning("job given up", reason=reason_of(error))
        except JobCancelled as error:
            log.info("job ended", reason=reason_of(error))
            self._retry(lambda: self.retention.remove(reporter.job.id), stop)
        except JobStopped:
            self._store(reporter.job, "queued", stop, attempts=reporter.job.attempts - 1, progress=0.0)
        except JobKilled as error:
            log.warning("job starts again", reason=reason_of(error))
            self._store(reporter.job, "queued", stop, progress=0.0)
        except EmotiiError as error:
            log.warning("job failed", reason=reason_of(error))
            self._store(reporter.job, "failed", stop, reason=self.execution.public_reason(error, reporter.job))
        else:
            reason = "; ".join(result.warnings)
            if result.warnings:
                log.warning("job done, results are incomplete", reason=reason)
            else:
                log.info("job done")
            counted = {"files": result.files, "frames": result.frames, "faces": result.faces}
            self._store(reporter.job, "done", stop, progress=1.0, reason=reason, **counted)

    def _store(self, job: JobStatus, state: JobState, stop: Event, **changes: object) -> None:
        """Store the new state of a job; remove the job if it was cancelled meanwhile."""

        def write() -> None:
            if self.registry.update(job, state=state, **changes) is None:
                self.retention.remove(job.id)

        self._retry(write, stop)

    def _retry(self, write: Callable[[], None], stop: Event) -> None:
        """Write until Redis has stored it. After `stop` it is tried once more; if that fails, the job starts again."""
        if not retry_until_stored(write, stop, self._outages, longest_pause_seconds=5.0):
            write()  # the last attempt: its failure reaches `run`, which ends
