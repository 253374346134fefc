"""Lossless jobs: a recording of which every face of every frame counts."""

import uuid
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from pathlib import Path
from threading import Event

import structlog

from capture_service.detectors import Detector
from capture_service.faces.pipeline import FaceFinder
from capture_service.frame import Frame
from capture_service.jobs.heartbeat import Heartbeat, leave
from capture_service.jobs.sent_entries import SentEntryStore
from capture_service.publishing.crops import Batch, CropPublisher
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import SourceSpec, recording
from contract import keys
from contract.errors import BrokerUnavailable, JobStopped, reason_of
from contract.messages import Crop, CropEntry, FrameDone, FrameId, Manifest
from contract.redis.broker import Backoff, Clients, outages_named
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog, retry_until_stored

__all__ = ["JobProducer", "JobStopped", "recording"]

logger = structlog.get_logger(__name__)

ROOM_SECONDS = 0.05
"""How often a job that is ahead of its workers checks whether they caught up."""
AGAIN_COUNT = 256
"""Entries of one transaction when entries are sent again."""


class JobProducer:
    """Sends every face of every frame of a recording, once a pass, and can send any of them again.

    `run` and `resubmit` are for a thread of their own, one after the other; other threads may call the other methods
    meanwhile. Both wait while the job's results are not read, so never call them on the thread that reads the results.

    Args:
        clients: both Redis clients; only the one for commands is used.
        spec: a recording, from `recording` or a configured file or folder.
        detector: finds the faces.
        settings: `job_backlog_limit` and the bounds on reading count here.
        sent_entries: path of the file that stores the sent entries; a file that is there is replaced. The file is
            unlinked once it is open, so only its disk space is used.
        outages: logs outages of Redis; by default a log of its own.
        source: the name of the job in Redis; by default a new one.
        on_step: called after every frame, and again and again while the job waits for workers or Redis.

    Raises:
        SourceError: the recording cannot be opened.
    """

    def __init__(
        self,
        clients: Clients,
        spec: SourceSpec,
        detector: Detector,
        settings: CaptureSettings,
        sent_entries: Path,
        outages: OutageLog | None = None,
        source: str = "",
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source or f"job-{uuid.uuid4().hex[:8]}"
        self.epoch = uuid.uuid4().hex[:12]
        self.frames_sent = 0
        self.crops_sent = 0
        self._client = clients.commands
        self._recording = make_recorded(spec, settings)
        self._recording.open()
        self._faces = FaceFinder(self.source, detector)
        self._clock, self._outage = RedisClock(), outages or OutageLog()
        self._publisher = CropPublisher(self._client, self.source, self._clock, keys.JOB_KEYS_SECONDS)
        self._limit = settings.job_backlog_limit
        self._sent_entries = SentEntryStore(sent_entries)
        self._closed = Event()
        self._on_step = on_step
        self._heartbeat = Heartbeat(self._client, self._clock, self.source, spec.safe, lambda: self.frames_sent)
        self._heartbeat.start()

    @property
    def total_frames(self) -> int | None:
        """Frames of all passes, if the file counts them; otherwise None."""
        return self._recording.total

    @property
    def expected_frames(self) -> int | None:
        """As `total_frames`, or estimated by duration and frame rate."""
        return self._recording.expected

    def picture(self, frame: int) -> str | None:
        """The name of this frame's file, of a folder of pictures; otherwise None."""
        return self._recording.picture(frame)

    def run(self, stop: Event) -> Manifest:
        """Send the recording, then its manifest; wait while workers or the reader are behind, and through outages.

        Raises:
            JobStopped: `stop` was set before the end.
            SourceError: the recording cannot be read any further.
        """
        while (frame := self._recording.read()) is not None:
            crops, done = self._detect(frame)
            self._sent_entries.add(crops, done)
            self._send([*crops, done], stop)
            self.frames_sent, self.crops_sent = self.frames_sent + 1, self.crops_sent + len(crops)
        manifest = Manifest(FrameId(self.source, self.epoch, self.frames_sent), self.crops_sent)
        self._send([manifest], stop)
        self._recording.close()
        return manifest

    def sent(self) -> dict[int, int]:
        """Frame -> number of its faces, of all frames that were sent or are being sent, and were not forgotten."""
        return self._sent_entries.faces()

    def forget(self, below: int) -> None:
        """Frames under `below` have all their outcomes: `resubmit` does not need them any more."""
        self._sent_entries.forget(below)

    def resubmit(self, frames: Collection[int], crops: Collection[tuple[int, int]], stop: Event) -> None:
        """Send entries again that Redis lost, under new stream ids. Call it after `run`; it waits as `run` does.

        Args:
            frames: of which the "frame done" is sent.
            crops: that are sent, as (frame, face).
            stop: ends the sending.

        Raises:
            JobStopped: `stop` was set, or the job was closed, before the end.
        """
        if frames or crops:
            logger.info("sending lost entries again", frames=len(frames), crops=len(crops))
        entries = self._sent_entries.entries(frames, crops)
        while chunk := list(islice(entries, min(AGAIN_COUNT, self._limit))):
            self._send(chunk, stop)

    def close(self) -> None:
        """Leave the registry, empty the job's streams and drop the sent entries; a `run` that still runs ends."""
        self._closed.set()
        self._heartbeat.stop()
        self._sent_entries.close()
        try:
            leave(self._client, self.source)
        except BrokerUnavailable as error:
            logger.warning(
                "the job's entries stay in redis until they expire", source=self.source, error=reason_of(error)
            )

    def _detect(self, frame: Frame) -> tuple[Sequence[Crop], FrameDone]:
        name, at_ms = FrameId(self.source, self.epoch, frame.number), round(frame.seconds * 1000)
        previous = frame.number - 1 if frame.number else None
        if frame.picture is None:
            return [], FrameDone(name, at_ms, 0, 0, 0, frame.note, previous)
        height, width = frame.picture.shape[:2]
        found = self._faces.find(frame.picture, frame.seconds)
        crops = [Crop(name, one.face, at_ms, 0, one.pixels) for one in found]
        return crops, FrameDone(name, at_ms, len(crops), width, height, previous=previous)

    def _send(self, entries: Sequence[CropEntry], stop: Event) -> None:
        self._wait_for_room(stop)
        batch = Batch(entries)

        def send() -> None:
            self._on_step()
            self._publisher.send(batch)

        if not retry_until_stored(send, stop, self._outage):
            raise JobStopped("stopped before the end")

    def _wait_for_room(self, stop: Event) -> None:
        backoff = Backoff(ROOM_SECONDS, 1.0)
        while not stop.is_set() and not self._closed.is_set():
            self._on_step()
            try:
                if self._publisher.backlog() + self._unread() < self._limit:
                    self._outage.recovered()
                    return
                backoff.reset()
                stop.wait(ROOM_SECONDS)
            except BrokerUnavailable as error:
                self._outage.failed(error)
                stop.wait(backoff.next())
        raise JobStopped("stopped before the end")

    def _unread(self) -> int:
        with outages_named():
            return int(self._client.xlen(keys.results(self.source)))
