"""`emotii analyze` and `emotii report`: analyse a recording with the workers that live sources use."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from rich.console import Console

from capture_service.jobs.producer import recording
from capture_service.settings import CaptureSettings
from contract.redis.broker import connect, outages_named
from contract.redis.server_check import check_server
from contract.service.lifecycle import stop_on_signal
from contract.service.settings import load
from emotii.commands.progress import ProgressBar
from emotii.commands.summary import print_summary
from emotii.local.job_folder import job_folder
from emotii.local.redis_server import PrivateServer
from emotii.local.supervisor import Supervisor, services_environment, workers
from emotii.settings import UpSettings
from inference_service.settings import InferenceSettings
from jobs_service.analysis.progress import Progress
from jobs_service.outputs.outputs import Outputs
from jobs_service.recording_analysis import RecordingAnalysis


def analyze(
    video: str, outputs: Outputs, passes: int, settings: UpSettings, console: Console, folder: Path | None = None
) -> None:
    """Classify every face of every frame exactly once, and write the outputs.

    Args:
        video: a video file or a folder of pictures.
        outputs: the files to write.
        passes: how often to analyse the recording.
        settings: name a Redis with workers, or how many workers to start with a private one.
        console: for progress and summary.
        folder: of the outputs; created if it does not exist.

    Raises:
        EmotiiError: the recording cannot be read, a file cannot be written, or a signal stopped the analysis.
    """
    spec = recording(video, passes)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signal())
        address = Path(spec.address)
        pictures = [address] if spec.kind == "pictures" else []
        files = stack.enter_context(outputs.unfinished(folder, [address], pictures))
        work, lock = stack.enter_context(job_folder())
        supervisor, redis_url = stack.enter_context(_workers(settings, work, lock))
        capture = load(CaptureSettings, redis_url=redis_url)
        clients = stack.enter_context(closing(connect(redis_url, "analyze")))
        bar = stack.enter_context(ProgressBar(console))

        def on_progress(progress: Progress) -> None:
            supervisor.poll()
            bar.update(progress)

        analysis = RecordingAnalysis(clients, spec, capture, load(InferenceSettings).model, work)
        writer = analysis.run(files, stop, on_progress)
    print_summary(writer, outputs, console)


@contextmanager
def _workers(settings: UpSettings, folder: Path, lock: int) -> Iterator[tuple[Supervisor, str]]:
    """The workers of EMOTII_REDIS_URL, or a private server with its own workers."""
    if settings.redis_url is not None:
        _check_redis(settings.redis_url)
        with Supervisor([]) as supervisor:
            yield supervisor, settings.redis_url
        return
    server = PrivateServer(folder, inherited=(lock,))
    environment = services_environment(server.url, settings.log_level)
    with Supervisor([server, *workers(settings.workers, environment)]) as supervisor:
        yield supervisor, server.url


def _check_redis(redis_url: str) -> None:
    """Fail at once, and not after a long wait, if there is no server, or none that Emotii can work with.

    Raises:
        SettingsError: the server is unusable.
        BrokerUnavailable: Redis cannot be reached.
    """
    check_server(redis_url)
    with closing(connect(redis_url, "analyze")) as clients, outages_named():
        clients.commands.ping()
