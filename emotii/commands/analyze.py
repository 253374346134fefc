"""`emotii analyze` and `emotii report`: a recording as a lossless job through the workers that live sources use."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from capture_service.jobs.producer import recording
from capture_service.settings import CaptureSettings
from contract.redis.broker import connect, outages_named
from contract.service.lifecycle import stop_on_signal
from contract.service.settings import load
from emotii.commands.progress import ProgressBar
from emotii.commands.summary import summarise
from emotii.local.job_folder import job_folder
from emotii.local.redis_server import PrivateServer
from emotii.local.supervisor import Supervisor, services_environment, workers
from emotii.settings import UpSettings
from inference_service.settings import InferenceSettings
from jobs_service.analysis.pipeline import Progress
from jobs_service.outputs.outputs import Outputs
from jobs_service.recording_analysis import RecordingAnalysis


def analyze(
    video: str, outputs: Outputs, passes: int, settings: UpSettings, console: Console, folder: Path | None = None
) -> None:
    """Classify every face of every frame exactly once, and write what is wanted.

    Args:
        video: a video file or a folder of pictures.
        outputs: what to write.
        passes: how often to go through the recording.
        settings: which Redis and its workers to use, or how many workers to start with a private one.
        console: for progress and the summary.
        folder: of the outputs, to be made.

    Raises:
        EmotiiError: the recording cannot be read, a file cannot be written, or a signal stopped it.
    """
    spec = recording(video, passes)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signal())
        files = stack.enter_context(outputs.begun(folder))
        work, lock = stack.enter_context(job_folder())
        supervisor, redis_url = stack.enter_context(_workers(settings, work, lock))
        capture = load(CaptureSettings, redis_url=redis_url)
        clients = connect(redis_url, "analyze")
        stack.callback(clients.close)
        bar = stack.enter_context(ProgressBar(console))

        def look(progress: Progress) -> None:
            supervisor.look()
            bar.update(progress)

        record = RecordingAnalysis(clients, spec, capture, load(InferenceSettings).model, work).write(files, stop, look)
    summarise(record, outputs, console)


def _ask(redis_url: str) -> None:
    """Whether there is a server at all is better said at once than after a long wait.

    Raises:
        BrokerUnavailable: there is none.
    """
    clients = connect(redis_url, "analyze")
    try:
        with outages_named():
            clients.commands.ping()
    finally:
        clients.close()


@contextmanager
def _workers(settings: UpSettings, folder: Path, lock: int) -> Iterator[tuple[Supervisor, str]]:
    """The workers of EMOTII_REDIS_URL, or a private server with workers of our own."""
    if settings.redis_url is not None:
        _ask(settings.redis_url)
        with Supervisor([]) as supervisor:
            yield supervisor, settings.redis_url
        return
    server = PrivateServer(folder, held=(lock,))
    environment = services_environment(server.url, settings.log_level)
    with Supervisor([server, *workers(settings.workers, environment)]) as supervisor:
        yield supervisor, server.url
