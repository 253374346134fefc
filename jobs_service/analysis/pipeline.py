"""A recording as a lossless job: one thread sends it, a loop reads its outcomes, and what Redis lost is sent again."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

from capture_service import detectors
from capture_service.jobs.producer import JobProducer
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.errors import BrokerUnavailable, JobStopped
from contract.redis.broker import Backoff, Clients
from contract.redis.outage import OutageLog
from jobs_service.analysis.progress import Progress, ProgressCallback, current_step
from jobs_service.analysis.results_reader import ResultsReader
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.outcomes import Outcomes

STOPPED = "stopped before the end; nothing was written"


class AnalysisPipeline:
    """The producer thread and the reading loop of one job. `close` removes the job from Redis.

    The loop makes room for the producer, so it never waits for it. What Redis lost is sent again on the producer's
    thread, too.

    Args:
        clients: of Redis.
        spec: the recording.
        settings: of the capture: detector and bounds.
        sent_entries: path of the file that keeps what was sent.
        source: the name of the job in Redis; by default a new one.
        on_step: called after every frame, and again and again while the job waits.

    Raises:
        SourceError: the recording cannot be opened.
    """

    def __init__(
        self,
        clients: Clients,
        spec: SourceSpec,
        settings: CaptureSettings,
        sent_entries: Path,
        source: str = "",
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self._outages = OutageLog()
        self._on_step = on_step
        detector = detectors.configured(settings)
        self._producer = JobProducer(clients, spec, detector, settings, sent_entries, self._outages, source, on_step)
        self._results = ResultsReader(clients, self._producer.source)
        self._outcomes = Outcomes()
        self._backoff = Backoff()
        self._frames: int | None = None
        """Frames of the recording; known when all of them are sent."""

    @property
    def expected_frames(self) -> int | None:
        """Frames of the recording, counted by the file or estimated, and at least those that are completed."""
        expected = self._producer.expected_frames
        return None if expected is None else max(expected, self._outcomes.completed)

    def run(self, writer: AnalysisWriter, stop: Event, on_progress: ProgressCallback) -> None:
        """Write every frame of the recording into `writer`.

        Raises:
            JobStopped: `stop` was set before the end.
            EmotiiError: the recording cannot be read any further, or `writer` cannot write.
        """
        writer.counts.stated_frames = self._producer.total_frames
        ended = Event()
        with ThreadPoolExecutor(1, "producer") as executor:
            sending = executor.submit(self._send, ended)
            try:
                while not self._finished():
                    if stop.is_set():
                        raise JobStopped(STOPPED)
                    idle = not self._read(writer, stop)
                    completed, step = self._outcomes.completed, self._step(sending)
                    on_progress(Progress(completed, self.expected_frames, writer.counts.faces, step=step))
                    if sending.done():
                        self._on_step()
                        sending.result()  # raises the exception that ended the producer
                        if idle and self._drained(stop):
                            missing = self._outcomes.missing(self._producer.sent())
                            sending = executor.submit(self._producer.resubmit, *missing, ended)
            finally:
                ended.set()  # ends the producer if this loop ends early
        writer.finish()

    def close(self) -> None:
        """Remove the job from the registry and from Redis."""
        self._producer.close()

    def _step(self, sending: Future[None]) -> str:
        return current_step(
            outage=self._outages.lasts,
            again=self._frames is not None and not sending.done(),
            unclassified=self._producer.frames_sent - self._outcomes.completed,
        )

    def _finished(self) -> bool:
        return self._frames is not None and self._outcomes.completed >= self._frames

    def _send(self, stop: Event) -> None:
        self._frames = self._producer.run(stop).id.frame

    def _read(self, writer: AnalysisWriter, stop: Event) -> bool:
        """Read and write the next outcomes; whether there were any, or may have been while Redis was unreachable."""
        try:
            found = self._results.read()
        except BrokerUnavailable as error:
            self._wait_for_redis(error, stop)
            return True
        self._redis_answered()
        for outcome in found:
            self._outcomes.add(outcome)
        for frame in self._outcomes.complete_frames():
            writer.write(frame, self._producer.picture(frame.done.id.frame))
        self._producer.forget(self._outcomes.completed)
        return bool(found)

    def _drained(self, stop: Event) -> bool:
        """Whether no crop waits for a worker any more: outcomes that are still missing were lost with a server."""
        if self._finished():
            return False
        try:
            waiting = self._results.crops_waiting()
        except BrokerUnavailable as error:
            self._wait_for_redis(error, stop)
            return False
        self._redis_answered()
        return not waiting

    def _wait_for_redis(self, error: BrokerUnavailable, stop: Event) -> None:
        self._outages.failed(error, "results")
        stop.wait(self._backoff.next())

    def _redis_answered(self) -> None:
        self._outages.recovered("results")
        self._backoff.reset()
