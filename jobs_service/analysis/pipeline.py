"""A recording as a lossless job: sent through the workers, its outcomes read, what was lost sent again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from capture_service import detectors
from capture_service.jobs.producer import JobProducer, JobStopped
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.errors import BrokerUnavailable
from contract.redis.broker import Backoff, Clients
from jobs_service.analysis.results_reader import JobResults
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.outcomes import Outcomes

STOPPED = "stopped before the end; nothing was written"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an analysis is."""

    frames: int
    """That are done: whose faces all have their outcome, or that were drawn."""
    total: int | None
    """Frames of the recording, as far as the file says."""
    faces: int
    drawing: bool = False
    """Whether all is read, and what people look at is drawn."""


Look = Callable[[Progress], None]
"""Called several times a second with what is done; what it raises ends the analysis."""


class AnalysisPipeline:
    """The producing thread and the reading loop of one job; a context manager that leaves nothing in Redis.

    The loop is what makes room for the producer, so it never waits for it: what Redis lost is sent again on the
    producer's thread, too.

    Args:
        clients: of Redis.
        spec: the recording.
        settings: of the capture: detector and bounds.
        spool: path of the file that keeps what was sent.

    Raises:
        SourceError: the recording cannot be opened.
    """

    def __init__(self, clients: Clients, spec: SourceSpec, settings: CaptureSettings, spool: Path) -> None:
        self._producer = JobProducer(clients, spec, detectors.configured(settings), settings, spool)
        self._results = JobResults(clients, self._producer.source)
        self._outcomes = Outcomes()
        self._backoff = Backoff()
        self._frames: int | None = None
        """Of the whole recording, once all were sent."""

    @property
    def total_frames(self) -> int | None:
        """Frames of the recording, as far as the file says; None if it does not."""
        return self._producer.total_frames

    def run(self, record: AnalysisWriter, stop: Event, look: Look) -> None:
        """Write every frame of the recording into `record`.

        Raises:
            JobStopped: `stop` was set before the end.
            EmotiiError: the recording cannot be read any further, or `record` cannot be written.
        """
        record.stated_frames = self.total_frames
        ended = Event()
        with ThreadPoolExecutor(1, "producer") as executor:
            sending = executor.submit(self._send, ended)
            try:
                while not self._finished():
                    if stop.is_set():
                        raise JobStopped(STOPPED)
                    idle = not self._step(record, stop)
                    look(Progress(self._outcomes.handed_out, self.total_frames, record.tally.faces))
                    if sending.done():
                        sending.result()  # raises what ended it
                        if idle and self._nothing_waits(stop):
                            missing = self._outcomes.missing(self._producer.sent())
                            sending = executor.submit(self._producer.resubmit, *missing, ended)
            finally:
                ended.set()  # lets the producer end, too, where we end early
        record.finish()

    def close(self) -> None:
        """Leave the registry and Redis."""
        self._producer.close()

    def _finished(self) -> bool:
        return self._frames is not None and self._outcomes.handed_out >= self._frames

    def _send(self, stop: Event) -> None:
        self._frames = self._producer.run(stop).id.frame

    def _step(self, record: AnalysisWriter, stop: Event) -> bool:
        """Take what came; whether anything did, or may have while Redis was away."""
        try:
            found = self._results.read()
            self._backoff.reset()
        except BrokerUnavailable:
            stop.wait(self._backoff.next())
            return True
        for outcome in found:
            self._outcomes.add(outcome)
        for frame in self._outcomes.complete_frames():
            record.write(frame, self._producer.picture(frame.done.id.frame))
        self._producer.forget(self._outcomes.handed_out)
        return bool(found)

    def _nothing_waits(self, stop: Event) -> bool:
        """Everything that Redis still knew of has its outcome: what is missing was lost with a server that died."""
        try:
            return not self._finished() and not self._results.crops_waiting()
        except BrokerUnavailable:
            stop.wait(self._backoff.next())
            return False
