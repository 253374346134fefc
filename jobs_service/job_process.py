"""The process of one job: `python -m jobs_service.job_process FD`, started and killed by the jobs service.

It decodes what somebody uploaded, so it may hang, crash or need too much memory. Modules that read and draw are
imported inside functions, since OpenCV reads its bounds from the environment while it is loaded.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from threading import Event

from capture_service.sources.opencv import limit
from capture_service.watchdog import Watchdog
from contract import disk
from contract.errors import EmotiiError, SourceError
from contract.redis.broker import connect
from contract.service import logs
from contract.service.child_process import open_connection
from contract.service.memory import is_out_of_memory, keep_freed, limit_address_space
from contract.service.native_output import discard_native_output
from jobs_service.analysis.progress import Progress, ProgressCallback
from jobs_service.task import JobFailure, JobResult, JobTask

PROGRESS_SECONDS = 0.2


def main() -> None:
    """Run the job that the parent sends, and send progress, then the result or the reason of a failure."""
    connection = open_connection()
    task: JobTask = connection.recv()
    discard_native_output()
    logs.configure(service="job", level=task.settings.log_level, as_json=task.settings.log_json)
    keep_freed()
    limit_address_space(task.settings.process_memory_mb)
    limit(task.settings)
    watchdog = Watchdog(task.step_seconds, task.watchdog_fd)
    connection.send(_outcome(task, _seldom(connection.send), watchdog.feed))


def _seldom(send: ProgressCallback) -> ProgressCallback:
    """Send progress a few times a second, so that a parent that waits for Redis never delays this process."""
    due = 0.0

    def send_when_due(progress: Progress) -> None:
        nonlocal due
        if (now := time.monotonic()) >= due:
            due = now + PROGRESS_SECONDS
            send(progress)

    return send_when_due


def _outcome(task: JobTask, on_progress: ProgressCallback, on_step: Callable[[], None]) -> JobResult | JobFailure:
    try:
        return _analyse(task, on_progress, on_step)
    except SourceError as error:
        return JobFailure(f"the recording is not a readable video: {error}")
    except EmotiiError as error:
        if (cause := error.__cause__) is not None and disk.is_full(cause):  # every file of a job is in its folder
            return JobFailure(disk.trouble("EMOTII_JOBS", cause))
        return JobFailure(str(error))
    except Exception as error:
        if is_out_of_memory(error):
            most = task.settings.process_memory_mb
            return JobFailure(f"the recording needs more memory than {most} MB (EMOTII_PROCESS_MEMORY_MB)")
        if isinstance(error, OSError):
            return JobFailure(disk.trouble("EMOTII_JOBS", error))
        raise


def _analyse(task: JobTask, on_progress: ProgressCallback, on_step: Callable[[], None]) -> JobResult:
    from capture_service.jobs.producer import recording
    from jobs_service.outputs.outputs import Outputs
    from jobs_service.recording_analysis import RecordingAnalysis

    spec = replace(recording(str(task.recording)), uploaded_as=task.name)
    outputs = Outputs.all_in(task.folder)
    with closing(connect(task.settings.redis_url, "job")) as clients, outputs.unfinished() as files:
        analysis = RecordingAnalysis(
            clients, spec, task.settings, task.model, task.folder, source=task.source, on_step=on_step
        )
        counts = analysis.run(files, Event(), on_progress).counts
    names = tuple(path.name for path in outputs.wanted.values())
    return JobResult(names, counts.frames, counts.faces, tuple(counts.warnings()))


if __name__ == "__main__":
    main()
