"""One attempt at a job: it analyses the recording and publishes the files when all of them are complete.

Modules that read and draw are imported when there is a job: an idle jobs service is smaller and starts sooner.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from capture_service.settings import CaptureSettings
from contract.errors import EmotiiError, SourceError, reason_of
from contract.jobs import JobFiles
from contract.messages.job import JobStatus
from contract.redis.broker import Clients
from jobs_service.progress_reporter import ProgressReporter


@dataclass(frozen=True, slots=True)
class JobResult:
    """The results of a job."""

    files: tuple[str, ...]
    """Their names."""
    frames: int
    faces: int
    warnings: tuple[str, ...]
    """What is missing from the results, one sentence each."""


@dataclass(frozen=True)
class JobExecution:
    """Executes jobs."""

    clients: Clients
    files: JobFiles
    capture: CaptureSettings
    model: str
    """The configured model, for the report: a name or a folder."""

    def run(self, reporter: ProgressReporter, stop: Event) -> JobResult:
        """Execute the job of `reporter`.

        Raises:
            JobCancelled, ClaimLost: as `reporter` raises them.
            JobStopped: `stop` was set.
            EmotiiError: the recording cannot be read, or a file cannot be written.
        """
        job = reporter.job
        try:
            with self.files.work(job.id) as work:
                result = self._analyse(work, reporter, stop)
                reporter.claim.check()
                self.files.publish(job.id, work)
        except SourceError as error:
            raise SourceError(f"the recording is not a readable video: {error}") from error
        except OSError as error:
            reporter.claim.check()
            raise EmotiiError(f"the folder of the job cannot be used: {reason_of(error)}") from error
        return result

    def public_reason(self, error: EmotiiError, job: JobStatus) -> str:
        """The message of `error` for the person who uploaded the recording: with its name in place of our path."""
        return str(error).replace(str(self.files.of(job.id).resolve()), job.name)

    def _analyse(self, work: Path, reporter: ProgressReporter, stop: Event) -> JobResult:
        from capture_service.jobs.producer import recording
        from jobs_service.outputs.outputs import Outputs
        from jobs_service.recording_analysis import RecordingAnalysis

        job = reporter.job
        spec = replace(recording(str(self.files.recording(job.id))), uploaded_as=job.name)
        outputs = Outputs.all_in(work)
        analysis = RecordingAnalysis(self.clients, spec, self.capture, self.model, work)
        with outputs.unfinished() as files:
            counts = analysis.run(files, stop, reporter).counts
        names = tuple(path.name for path in outputs.wanted.values())
        return JobResult(names, counts.frames, counts.faces, tuple(counts.warnings()))
