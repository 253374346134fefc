"""`emotii analyze`: a recording as a lossless job through the same workers that live sources use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from rich.console import Console

from capture_service import detectors
from capture_service.job import JobProducer, recording
from capture_service.settings import CaptureSettings
from contract.broker import Backoff, connect, outages_named
from contract.errors import BrokerUnavailable, EmotiiError
from contract.lifecycle import stop_on_signal
from contract.settings import load
from emotii.job_folder import job_folder
from emotii.job_results import JobResults
from emotii.outcomes import Outcomes
from emotii.progress import JobProgress
from emotii.server import PrivateServer
from emotii.settings import UpSettings
from emotii.summary import summarise
from emotii.supervisor import Supervisor, services_environment, workers
from emotii.table import Table


def analyze(video: str, csv: Path, passes: int, settings: UpSettings, console: Console) -> None:
    """Classify every face of every frame exactly once and write one CSV row for each.

    Args:
        video: a video file or a folder of pictures.
        csv: the table to write.
        passes: how often to go through the recording.
        settings: which Redis and its workers to use, or how many workers to start with a private one.
        console: for progress and the summary.

    Raises:
        EmotiiError: the recording cannot be read, the table cannot be written, or a signal stopped it.
    """
    spec = recording(video, passes)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signal())
        table = stack.enter_context(Table(csv))
        folder, lock = stack.enter_context(job_folder())
        supervisor, redis_url = stack.enter_context(_workers(settings, folder, lock))
        capture = load(CaptureSettings, redis_url=redis_url)
        clients = connect(redis_url, "analyze")
        stack.callback(clients.close)
        producer = JobProducer(clients, spec, detectors.configured(capture), capture, folder / "sent")
        stack.callback(producer.close)
        job = _Job(producer, JobResults(clients, producer.source), table, supervisor)
        job.run(stop, stack.enter_context(JobProgress(console, producer, table)))
    summarise(table, job.outcomes, producer.total_frames, csv, console)


class _Job:
    """The producing thread and the reading loop of one job.

    The loop is what makes room for the producer, so it never waits for it: what Redis lost is sent again on the
    producer's thread, too.
    """

    def __init__(self, producer: JobProducer, results: JobResults, table: Table, supervisor: Supervisor) -> None:
        self.outcomes = Outcomes()
        self._producer = producer
        self._results = results
        self._table = table
        self._supervisor = supervisor
        self._backoff = Backoff()
        self._frames: int | None = None
        """Of the whole recording, once all were sent."""

    def run(self, stop: Event, progress: JobProgress) -> None:
        with ThreadPoolExecutor(1, "producer") as executor:
            sending = executor.submit(self._send, stop)
            try:
                while not self._finished():
                    if stop.is_set():
                        raise EmotiiError("stopped before the end; no table was written")
                    self._supervisor.look()
                    idle = not self._step(stop)
                    if sending.done():
                        sending.result()  # raises what ended it
                        if idle and self._nothing_waits(stop):
                            missing = self.outcomes.missing(self._producer.sent())
                            sending = executor.submit(self._producer.resubmit, *missing, stop)
                    progress.update(self.outcomes.handed_out)
            finally:
                stop.set()  # lets the producer end, too, where we end early

    def _finished(self) -> bool:
        return self._frames is not None and self.outcomes.handed_out >= self._frames

    def _send(self, stop: Event) -> None:
        self._frames = self._producer.run(stop).id.frame

    def _step(self, stop: Event) -> bool:
        """Take what came; whether anything did, or may have while Redis was away."""
        try:
            found = self._results.read()
            self._backoff.reset()
        except BrokerUnavailable:
            stop.wait(self._backoff.next())
            return True
        for outcome in found:
            self.outcomes.add(outcome)
        for faces in self.outcomes.complete_frames():
            self._table.write(faces)
        self._producer.forget(self.outcomes.handed_out)
        return bool(found)

    def _nothing_waits(self, stop: Event) -> bool:
        """Everything that Redis still knew of has its outcome: what is missing was lost with a server that died."""
        try:
            return not self._finished() and not self._results.crops_waiting()
        except BrokerUnavailable:
            stop.wait(self._backoff.next())
            return False


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
