"""`emotii analyze`: a recording as a lossless job through the same workers that live sources use."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from rich.console import Console

from capture_service import detectors
from capture_service.job import JobProducer, recording
from capture_service.settings import CaptureSettings
from contract.broker import Backoff, connect
from contract.errors import BrokerUnavailable, EmotiiError
from contract.lifecycle import stop_on_signal
from contract.messages import Manifest
from contract.settings import load
from emotii.job_results import JobResults
from emotii.outcomes import Outcomes
from emotii.progress import JobProgress
from emotii.server import PrivateServer
from emotii.settings import UpSettings
from emotii.supervisor import Supervisor, workers
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
        spool = stack.enter_context(tempfile.TemporaryDirectory(prefix="emotii-job-"))
        table = stack.enter_context(Table(csv))
        supervisor, redis_url = stack.enter_context(_workers(settings, Path(spool)))
        capture = load(CaptureSettings, redis_url=redis_url)
        clients = connect(redis_url, "analyze")
        stack.callback(clients.close)
        producer = JobProducer(clients, spec, detectors.configured(capture), capture, Path(spool) / "sent")
        stack.callback(producer.close)
        job = _Job(producer, JobResults(clients, producer.source), table, supervisor)
        job.run(stop, stack.enter_context(JobProgress(console, producer, table)))
    _report(table, job.outcomes, csv, console)


class _Job:
    """The producing thread and the reading loop of one job."""

    def __init__(self, producer: JobProducer, results: JobResults, table: Table, supervisor: Supervisor) -> None:
        self.outcomes = Outcomes()
        self._producer = producer
        self._results = results
        self._table = table
        self._supervisor = supervisor
        self._backoff = Backoff()

    def run(self, stop: Event, progress: JobProgress) -> None:
        with ThreadPoolExecutor(1, "producer") as executor:
            manifest = executor.submit(self._producer.run, stop)
            try:
                while not self._finished(manifest):
                    if stop.is_set():
                        raise EmotiiError("stopped before the end; no table was written")
                    self._supervisor.look()
                    self._step(manifest, stop)
                    progress.update(self.outcomes.handed_out)
            finally:
                stop.set()  # lets the producer end, too, where we end early

    def _finished(self, manifest: "Future[Manifest]") -> bool:
        return manifest.done() and self.outcomes.handed_out >= manifest.result().id.frame

    def _step(self, manifest: "Future[Manifest]", stop: Event) -> None:
        try:
            found = self._results.read()
            if not found and manifest.done() and not self._results.crops_waiting():
                # Everything that Redis still knew of has its outcome: what is missing was lost with a server that died.
                self._producer.resubmit(*self.outcomes.missing(self._producer.sent()))
            self._backoff.reset()
        except BrokerUnavailable:
            stop.wait(self._backoff.next())
            return
        for outcome in found:
            self.outcomes.add(outcome)
        for faces in self.outcomes.complete_frames():
            self._table.write(faces)


@contextmanager
def _workers(settings: UpSettings, folder: Path) -> Iterator[tuple[Supervisor, str]]:
    """The workers of EMOTII_REDIS_URL, or a private server with workers of our own."""
    if settings.redis_url is not None:
        with Supervisor([]) as supervisor:
            yield supervisor, settings.redis_url
        return
    server = PrivateServer(folder / "redis")
    environment = {**os.environ, "EMOTII_REDIS_URL": server.url, "EMOTII_LOG_LEVEL": settings.log_level}
    with Supervisor([server, *workers(settings.workers, environment)]) as supervisor:
        yield supervisor, server.url


def _report(table: Table, outcomes: Outcomes, path: Path, console: Console) -> None:
    faces = f"{table.rows} faces of {len(table.tracks)} tracks in {outcomes.handed_out} frames"
    console.print(f"{path}: {faces}", highlight=False, markup=False)
    shares = [f"{emotion} {100 * count / table.rows:.0f}%" for emotion, count in table.emotions.most_common()]
    if shares:
        console.print(f"Emotions: {', '.join(shares)}", highlight=False)
    if table.buried:
        first = table.buried[0]
        lost = f"{len(table.buried)} faces could not be classified, first in frame {first.frame}: {first.reason}"
        console.print(lost, style="yellow", highlight=False, markup=False)
