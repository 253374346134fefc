"""Saves faces: automatically about one a second of each track, and the most prominent one on request."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from api_gateway.faces.errors import CannotStore, NoFace
from api_gateway.faces.filename import FaceName, FaceNameError
from api_gateway.faces.source_tag import tagged
from api_gateway.faces.store import FaceStore
from api_gateway.leader_election import LeaderElection
from api_gateway.metrics import Metrics
from api_gateway.results.active_tracks import Track, TrackKey, track_key
from api_gateway.results.sinks import PartialSink, ProcessedReading
from api_gateway.runtime_settings import RuntimeSettingsReader
from api_gateway.video.errors import NoFrame
from api_gateway.video.frame_buffer import Frame
from api_gateway.video.live_view import LiveView
from contract.errors import PictureError, reason_of
from contract.messages import Box, FrameId
from contract.messages.erasure import ErasureScope

logger = structlog.get_logger()
LEASE_TASK = "saving"
QUEUED = 32
FRAME_SECONDS = 0.5
"""A frame can come a little later than the readings of its faces."""
REQUEST_SECONDS = 3.0
PAUSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Face:
    """A face to save: where it is, and its judgement."""

    track: TrackKey
    frame: FrameId
    captured_ms: int
    box: Box
    emotion: str
    confidence: float


class FaceSaver(PartialSink):
    """Cuts faces out of the frames that their readings belong to and stores them.

    Args:
        live_view: frames and faces.
        store: of the saved faces.
        election: of the gateway that saves automatically.
        metrics: counts the saved faces.
        settings: whether to save automatically.
        every: between two automatic saves of a track.
    """

    def __init__(
        self,
        live_view: LiveView,
        store: FaceStore,
        election: LeaderElection,
        metrics: Metrics,
        *,
        settings: RuntimeSettingsReader,
        every: timedelta,
    ) -> None:
        self._live_view = live_view
        self._store = store
        self.election = election
        self._metrics = metrics
        self._every = every.total_seconds()
        self._due: dict[TrackKey, float] = {}
        self._queue: asyncio.Queue[_Face] = asyncio.Queue(QUEUED)
        self._paused_until = 0.0
        self._storing = asyncio.Lock()
        """Held while a face is written."""
        self._settings = settings
        self.paused = ""
        """Why automatic saving is paused; empty while it is not."""

    @property
    def on(self) -> bool:
        """Whether faces are to be saved automatically."""
        return self._settings.current.saving

    async def poll_election(self) -> None:
        """Take part in the election of the gateway that saves; the leader receives the frames of every camera."""
        try:
            await self.election.campaign(candidate=self.on)
        finally:
            cameras = (status.name for status in self._live_view.registry.sources() if status.kind == "camera")
            self._live_view.frames.saved_from = frozenset(cameras) if self.election.is_leader else frozenset()
        self._due = {key: due for key, due in self._due.items() if due > time.monotonic() - 60}
        await self._end_pause()

    async def discard(self, scope: ErasureScope) -> None:
        """Drop the queued faces of this scope; returns once no face is being written."""
        due = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for face in due:
            if not scope.covers(face.frame.source, face.captured_ms):
                self._queue.put_nowait(face)
        async with self._storing:
            return

    def reading(self, reading: ProcessedReading) -> None:
        """Queue the face of this reading if its track is due to be saved and its emotion is certain."""
        now, message, judgement = time.monotonic(), reading.smoothed.reading, reading.smoothed.judgement
        if not self.on or not self.election.is_leader or now < self._paused_until:
            return
        if judgement is None or not judgement.certain or now < self._due.get(track := track_key(message), 0.0):
            return
        if message.id.source not in self._live_view.frames.saved_from or self._queue.full():
            return
        self._due[track] = now + self._every
        box, captured_ms = message.face.box, message.captured_ms
        self._queue.put_nowait(_Face(track, message.id, captured_ms, box, judgement.emotion, judgement.confidence))

    async def save_next(self) -> None:
        """Save the next face that is due, once its frame is there."""
        face = await self._queue.get()
        if not self.on:  # switched off since it was due
            return
        frame = await self._live_view.frames.find(face.frame, FRAME_SECONDS)
        if frame is None:
            self._due.pop(face.track, None)  # no frame arrived; the next reading may have one
            return
        if not self.on:  # switched off meanwhile
            return
        try:
            await self._save(frame, face.box, face.emotion, face.confidence)
        except CannotStore:
            return  # already logged; the saver tries again after the pause
        except (PictureError, FaceNameError) as error:
            logger.warning("a face was not saved", reason=reason_of(error), source=face.frame.source)

    async def save_now(self, source: str) -> FaceName:
        """Save the most prominent face of a source.

        Raises:
            FixedSetting: the environment allows no saving.
            NoFace: no face is visible.
            NoFrame: no frame to crop it from arrives.
            StoreFull, StoreUnwritable: it cannot be written.
        """
        self._settings.check_saving_allowed()
        deadline = time.monotonic() + REQUEST_SECONDS
        with self._live_view.frames.in_use(source):
            while tracks := self._live_view.faces(source):
                for track in tracks:
                    if (frame := self._live_view.frames.newest(source)) and (box := _box_of(track, frame)):
                        judgement = track.judgement
                        return await self._save(frame, box, judgement.emotion, judgement.confidence)
                if time.monotonic() > deadline:
                    raise NoFrame(f"no picture of {source!r} arrives now")
                await asyncio.sleep(0.02)
        raise NoFace(f"there is no face to be seen by {source!r} now")

    async def _save(self, frame: Frame, box: Box, emotion: str, confidence: float) -> FaceName:
        try:
            async with self._storing:
                name = await asyncio.to_thread(self._crop_and_store, frame, box, emotion, confidence)
        except CannotStore as error:
            self._pause(reason_of(error))
            raise
        self._metrics.saved.inc()
        self._resume()
        return name

    async def _end_pause(self) -> None:
        """After the pause, find out whether a face could be saved, though maybe none is in view."""
        if not self.paused or time.monotonic() < self._paused_until:
            return
        try:
            await asyncio.to_thread(self._store.check_room)
        except CannotStore as error:
            self._pause(reason_of(error))
        else:
            self._resume()

    def _resume(self) -> None:
        if self.paused:
            logger.info("automatic saving resumed")
            self.paused, self._paused_until = "", 0.0

    def _pause(self, reason: str) -> None:
        """Publish that faces cannot be saved, and pause automatic saving."""
        if not self.paused:
            logger.warning("automatic saving paused", reason=reason)
        self.paused, self._paused_until = reason, time.monotonic() + PAUSE_SECONDS

    def _crop_and_store(self, frame: Frame, box: Box, emotion: str, confidence: float) -> FaceName:
        from api_gateway.video.drawing import crop_face

        face = tagged(crop_face(frame, box), frame.header.source)
        return self._store.save(face, FaceName(emotion, confidence, datetime.now(UTC)))


def _box_of(track: Track, frame: Frame) -> Box | None:
    """The box of a track in a frame, if it has one there."""
    if track.latest.id.epoch != frame.header.epoch:
        return None
    return next((face.box for face in frame.header.faces if face.track == track.latest.face.track), None)
