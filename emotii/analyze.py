"""`emotii analyze`: a recording as a lossless job through the same workers that live sources use."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from capture_service.detectors import load as load_detector
from capture_service.job import JobProducer, recording
from capture_service.settings import CaptureSettings
from rich.console import Console

from contract.broker import Backoff, connect
from contract.errors import BrokerUnavailable, EmotiiError
from contract.lifecycle import stop_on_signal
from contract.messages import Manifest
from contract.settings import load
from emotii.job_results import JobResults
from emotii.outcomes import Outcomes
from emotii.progress import JobProgress
from emotii.server import PrivateServer
from emotii.supervisor import Service, Supervisor
from emotii.table import Table


@dataclass(frozen=True)
class Analysis:
    """What is to be analysed."""

    video: str
    csv: Path
    passes: int = 1
    """How often the recording is gone through."""
    workers: int = 1
    """Workers of our own, where EMOTII_REDIS_URL names no server that has some."""


def analyze(analysis: Analysis, console: Console) -> None:
    """Classify every face of every frame exactly once and write one CSV row for each.

    Raises:
        EmotiiError: the recording cannot be read, the table cannot be written, or a signal stopped it.
    """
    spec = recording(analysis.video, analysis.passes)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signal())
        spool = stack.enter_context(tempfile.TemporaryDirectory(prefix="emotii-job-"))
        table = stack.enter_context(Table(analysis.csv))
        supervisor, redis_url = stack.enter_context(_workers(analysis.workers, Path(spool)))
        settings = load(CaptureSettings, redis_url=redis_url)
        clients = connect(redis_url, "analyze")
        stack.callback(clients.close)
        producer = JobProducer(clients, spec, load_detector(settings.detector), settings, Path(spool) / "sent")
        stack.callback(producer.close)
        job = _Job(producer, JobResults(clients, producer.source), table, supervisor)
        job.run(stop, stack.enter_context(JobProgress(console, producer, table)))
    _report(table, job.outcomes, analysis.csv, console)


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
def _workers(count: int, folder: Path) -> Iterator[tuple[Supervisor, str]]:
    """The workers of EMOTII_REDIS_URL, or a private server with workers of our own."""
    if redis_url := os.environ.get("EMOTII_REDIS_URL"):
        with Supervisor([]) as supervisor:
            yield supervisor, redis_url
        return
    server = PrivateServer(folder / "redis")
    environment = {"EMOTII_LOG_LEVEL": "warning", **os.environ, "EMOTII_REDIS_URL": server.url}
    services = [Service(f"inference {number}", "inference_service", environment) for number in range(1, count + 1)]
    with Supervisor([server, *services]) as supervisor:
        yield supervisor, server.url


def _report(table: Table, outcomes: Outcomes, path: Path, console: Console) -> None:
    shares = ", ".join(f"{emotion} {100 * count / table.rows:.0f}%" for emotion, count in table.emotions.most_common())
    console.print(
        f"{path}: {table.rows} faces of {len(table.tracks)} tracks in {outcomes.handed_out} frames", highlight=False
    )
    if shares:
        console.print(f"Emotions: {shares}", highlight=False)
    if table.buried:
        first = table.buried[0]
        console.print(
            f"{len(table.buried)} faces could not be classified, first frame {first.frame}: {first.reason}",
            style="yellow",
        )
