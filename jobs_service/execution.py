"""One attempt at a job: its process analyses the recording, and the files are published when all are complete."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

import structlog

from capture_service.jobs.heartbeat import leave
from capture_service.settings import CaptureSettings
from capture_service.watchdog import Watchdog
from contract import disk
from contract.errors import BrokerUnavailable, EmotiiError, JobStopped, reason_of
from contract.jobs import JobFiles
from contract.messages.job import JobStatus
from contract.redis.broker import Clients
from contract.service.child_process import ChildEnded, ChildProcess
from jobs_service.analysis.progress import Progress
from jobs_service.progress_reporter import ProgressReporter
from jobs_service.task import JobFailure, JobResult, JobTask

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
START_SECONDS = 60.0
"""How much longer than others the first step may take: the process loads OpenCV and a network before it."""


class JobKilled(EmotiiError):  # noqa: N818 - what happened
    """The process of the job was killed from outside; another attempt may succeed."""


@dataclass(frozen=True)
class JobExecution:
    """Executes jobs, each in a process of its own, which is killed when the job must not continue."""

    clients: Clients
    files: JobFiles
    capture: CaptureSettings
    model: str
    """The configured model, for the report: a name or a folder."""
    step_timeout: timedelta
    """A step of a job that takes longer counts as hung."""

    def run(self, reporter: ProgressReporter, stop: Event) -> JobResult:
        """Execute the job of `reporter`. When this returns or raises, the process of the job has ended.

        Raises:
            JobCancelled, ClaimLost: as `reporter` raises them.
            JobStopped: `stop` was set.
            JobKilled: the process was killed.
            EmotiiError: the recording cannot be read, a file cannot be written, or the job takes too long or hangs.
        """
        job = reporter.job
        try:
            with self.files.work(job.id) as work:
                result = self._analyse(work, reporter, stop)
                reporter.claim.check()
                self.files.publish(job.id, work)
        except OSError as error:
            reporter.claim.check()
            raise EmotiiError(disk.trouble("EMOTII_JOBS", error)) from error
        return result

    def public_reason(self, error: EmotiiError, job: JobStatus) -> str:
        """The message of `error` for the person who uploaded the recording: with its name in place of our path."""
        return str(error).replace(str(self.files.of(job.id).resolve()), job.name)

    def _analyse(self, work: Path, reporter: ProgressReporter, stop: Event) -> JobResult:
        source = f"job-{uuid.uuid4().hex[:8]}"
        watchdog = Watchdog(self.step_timeout.total_seconds())
        with self._left(source), ChildProcess("jobs_service.job_process", [watchdog.fd]) as child:
            try:
                child.send(self._task(source, reporter.job, work, watchdog))
                return self._watch(child, watchdog, reporter, stop)
            except ChildEnded as error:
                if error.killed:
                    raise JobKilled(str(error)) from error
                raise EmotiiError(f"the recording cannot be analysed: {error}; the log says more") from error

    def _watch(self, child: ChildProcess, watchdog: Watchdog, reporter: ProgressReporter, stop: Event) -> JobResult:
        progress, own_watchdog = Progress(0, None, 0), Watchdog()
        watchdog.feed(START_SECONDS)
        while not stop.is_set():
            match child.receive(POLL_SECONDS):
                case JobResult() as result:
                    return result
                case JobFailure(reason):
                    raise EmotiiError(reason)
                case Progress() as progress:
                    pass
            if not own_watchdog.alive():
                watchdog.feed()  # this process was suspended, and the child with it: it does not hang
            own_watchdog.feed()
            if not watchdog.alive():
                setting = "EMOTII_JOBS_STEP_TIMEOUT"
                raise EmotiiError(f"the recording hangs: one step took longer than {self.step_timeout} ({setting})")
            reporter(progress)
        raise JobStopped("stopped before the end")

    def _task(self, source: str, job: JobStatus, work: Path, watchdog: Watchdog) -> JobTask:
        return JobTask(
            source=source,
            recording=self.files.recording(job.id),
            name=job.name,
            folder=work,
            settings=self.capture,
            model=self.model,
            step_seconds=self.step_timeout.total_seconds(),
            watchdog_fd=watchdog.fd,
        )

    @contextmanager
    def _left(self, source: str) -> Iterator[None]:
        """Remove the job from Redis afterwards: a process that was killed could not do so itself."""
        try:
            yield
        finally:
            try:
                leave(self.clients.commands, source)
            except BrokerUnavailable as error:
                logger.warning(
                    "the job's entries stay in redis until they expire", source=source, error=reason_of(error)
                )
