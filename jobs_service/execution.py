"""One attempt at a job: its recording read, and its files in their place only when all of them are whole.

What reads and draws is imported when there is a job: a service that waits for its first is smaller and starts sooner.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from capture_service.settings import CaptureSettings
from contract.errors import EmotiiError, SourceError
from contract.jobs import JobFiles
from contract.messages.job import JobStatus
from contract.redis.broker import Clients
from jobs_service.progress_reporter import ProgressReporter


@dataclass(frozen=True)
class JobExecution:
    """How a job is done."""

    clients: Clients
    files: JobFiles
    capture: CaptureSettings
    model: str
    """Of the settings, for the report."""

    def write(self, watch: ProgressReporter, stop: Event) -> tuple[str, ...]:
        """Do the job of `watch`; the names of its files.

        Raises:
            Cancelled, Taken: as the watch says.
            JobStopped: `stop` was set.
            EmotiiError: the recording cannot be read, or a file cannot be written.
        """
        job = watch.job
        try:
            with self.files.work(job.id) as work:
                written = self._write_into(work, watch, stop)
                watch.check()
                self.files.publish(job.id, work)
        except SourceError as error:
            raise SourceError(f"this is no video that can be read: {error}") from error
        except OSError as error:
            watch.check()
            raise EmotiiError(f"the job's folder cannot be used: {error.strerror}") from error
        return written

    def told(self, error: EmotiiError, job: JobStatus) -> str:
        """The reason in words for who handed it in, who knows no paths of ours."""
        return str(error).replace(str(self.files.of(job.id).resolve()), job.name)

    def _write_into(self, work: Path, watch: ProgressReporter, stop: Event) -> tuple[str, ...]:
        from capture_service.jobs.producer import recording
        from jobs_service.outputs.outputs import Outputs
        from jobs_service.recording_analysis import RecordingAnalysis

        job = watch.job
        spec = replace(recording(str(self.files.recording(job.id))), uploaded_as=job.name)
        outputs = Outputs.all_in(work)
        with outputs.begun() as files:
            record = RecordingAnalysis(self.clients, spec, self.capture, self.model, work).write(files, stop, watch)
        watch.job = watch.job.model_copy(update={"frames": record.tally.frames, "faces": record.tally.faces})
        return tuple(path.name for path in outputs.wanted.values())
