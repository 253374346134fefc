"""Running jobs one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import structlog

from contract.errors import BrokerUnavailable, EmotiiError
from contract.messages.job import JobState, JobStatus
from contract.redis.broker import Backoff, Clients
from contract.redis.outage import OutageLog, retry_until_stored
from jobs_service.execution import JobExecution
from jobs_service.progress_reporter import Cancelled, Claim, ProgressReporter, Taken
from jobs_service.registry import JobRegistry
from jobs_service.retention import RetentionPolicy

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
MOST_ATTEMPTS = 3
"""A recording at which this process died so often is not begun again."""


@dataclass
class Runner:
    """Takes the oldest job that nobody has. Several may run beside each other: a claim makes each job one's."""

    clients: Clients
    registry: JobRegistry
    keeper: RetentionPolicy
    attempt: JobExecution
    longest: timedelta
    """How long one job may take."""

    def run(self, stop: Event) -> None:
        """Run jobs until `stop`; while Redis is away, wait for it."""
        outages, backoff = OutageLog(), Backoff()
        while not stop.is_set():
            try:
                jobs = self.registry.jobs()
                self.keeper.look(jobs)
                outages.recovered()
                backoff.reset()
                if not any(self._run_job(job, stop) for job in jobs if not job.over):
                    stop.wait(LOOK_SECONDS)
            except BrokerUnavailable as error:
                outages.failed(error)
                stop.wait(backoff.next())

    def _run_job(self, job: JobStatus, stop: Event) -> bool:
        """Run a job, if it is there still and nobody else has it; whether that was so."""
        claim = Claim(self.clients, job.id)
        if not claim.take():
            return False
        with claim:
            if job.attempts >= MOST_ATTEMPTS:
                self._end(job, "failed", stop, reason="the jobs service died of it several times")
                return True
            begun = self.registry.update(job, state="running", attempts=job.attempts + 1, progress=0.0, reason="")
            if begun is None:
                return False
            logger.info("job begins", job=job.id, attempt=begun.attempts)
            self._finish(ProgressReporter(self.registry, begun, claim, self.longest), stop)
        return True

    def _finish(self, watch: ProgressReporter, stop: Event) -> None:
        """Run the job of `watch` and write down how it ended."""
        from capture_service.jobs.producer import JobStopped  # with all that reads videos

        log = logger.bind(job=watch.job.id)
        try:
            files = self.attempt.write(watch, stop)
        except Taken as error:
            log.warning("job given up", reason=str(error))
        except Cancelled as error:
            log.info("job ends", reason=str(error))
            self._insist(lambda: self.keeper.clear(watch.job.id), stop)
        except JobStopped:
            self._end(watch.job, "queued", stop, attempts=watch.job.attempts - 1, progress=0.0)
        except EmotiiError as error:
            log.warning("job failed", reason=str(error))
            self._end(watch.job, "failed", stop, reason=self.attempt.told(error, watch.job))
        else:
            log.info("job done")
            self._end(watch.job, "done", stop, progress=1.0, reason="", files=files)

    def _end(self, job: JobStatus, state: JobState, stop: Event, **changes: object) -> None:
        def write() -> None:
            if self.registry.update(job, state=state, **changes) is None:
                self.keeper.clear(job.id)  # cancelled at the last moment

        self._insist(write, stop)

    @staticmethod
    def _insist(write: Callable[[], None], stop: Event) -> None:
        """Try until Redis has it, or `stop`: then the job is begun again some time."""
        if not retry_until_stored(write, stop, OutageLog(), longest_pause_seconds=5.0):
            write()  # the last attempt: whether it succeeds or raises, the caller ends
