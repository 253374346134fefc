"""The gateway without its web side: what it keeps, and the tasks that keep it up to date."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import structlog

from api_gateway.cleanup import Cleanup
from api_gateway.erasure.coordinator import ErasureCoordinator
from api_gateway.erasure.eraser import Eraser
from api_gateway.erasure.live_state import LiveState
from api_gateway.faces.retention import FaceRetention
from api_gateway.faces.saver import LEASE_TASK, FaceSaver
from api_gateway.faces.store import FaceStore
from api_gateway.history.database import Database
from api_gateway.history.service import LEASE_TASK as HISTORY_TASK
from api_gateway.history.service import HistoryService
from api_gateway.metrics import Metrics
from api_gateway.polling import PollingSupervisor
from api_gateway.results.active_tracks import ActiveTracks
from api_gateway.results.processor import ResultProcessor
from api_gateway.results.stream_reader import StreamReader
from api_gateway.runtime_settings import RuntimeSettingsReader
from api_gateway.settings import GatewaySettings
from api_gateway.sources.added_sources import AddedSources
from api_gateway.sources.browser_camera import BrowserCamera
from api_gateway.sources.registry import Registry
from api_gateway.stats import Stats
from api_gateway.uploads.jobs import Jobs
from api_gateway.uploads.predictions import Predictions
from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import FrameBuffer
from api_gateway.video.live_view import LiveView
from api_gateway.video.mjpeg import Viewers
from api_gateway.video.renderer import FrameRenderer
from api_gateway.video.stream import VideoStream
from api_gateway.websocket.hub import Hub
from contract import events, keys
from contract.messages import Outcome, SourceStatus
from contract.redis.broker import OUTAGES, connect_async
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease
from contract.runtime_settings import Blur, RuntimeSettings
from postprocessing.source_processor import ProcessorOutput
from postprocessing.track_processor import SmoothedReading

logger = structlog.get_logger()
STATS_EVERY = timedelta(seconds=1)


class Gateway:
    """Everything that the routes ask, built in one place. Opens no connection before `run`."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.clock = RedisClock()
        self.metrics = Metrics()
        self.hub = Hub(self.metrics.missed.inc, self.clock.now_ms)
        self.viewers = Viewers()
        self.faces = FaceStore(settings.saved_faces)
        self._clients = connect_async(settings.redis_url, "gateway")
        commands = self._clients.commands
        self.jobs = Jobs(commands, self.clock, settings.jobs, settings.jobs_upload_limit)
        retention = FaceRetention(settings.saved_faces, settings.saved_faces_kept, settings.saved_faces_limit)
        self._sweeper = Cleanup(retention, self.jobs)
        self.registry = Registry(commands, self.clock, self._tell_state, self._tell_gone)
        self.runtime_settings = RuntimeSettingsReader(commands, RuntimeSettings(saving=settings.save))
        self.added_sources = AddedSources(commands, self.registry, settings.added_sources)
        self.active_tracks = ActiveTracks()
        self.processor = ResultProcessor(
            commands,
            self.clock,
            settings.steadiness,
            is_recorded=self._is_recorded,
            on_reading=self._take_reading,
            on_episode=self._take_episode,
            on_past=self._take_past,
            on_dropped=self.metrics.repeats.inc,
        )
        self.live_view = LiveView(self.registry, FrameBuffer(self._clients), self.active_tracks, self.clock)
        self.predictions = Predictions(commands, self.registry, self.clock, settings.predict_timeout)
        self.annotations = FrameAnnotations()
        self.renderer = FrameRenderer(self.live_view.frames, self.annotations, settings.video_quality)
        self.video = VideoStream(self.live_view, self.renderer, settings.video_quality, self._least_blur)
        lease = AsyncLease(commands, LEASE_TASK)
        self.saver = FaceSaver(
            self.live_view, self.faces, lease, self.metrics, product=self.runtime_settings, every=settings.save_every
        )
        database, recording = Database(settings.database_url), AsyncLease(commands, HISTORY_TASK)
        self.history = HistoryService(database, recording, self.clock, settings.history)
        told = (self.registry, self.saver, self.history, self.runtime_settings)
        self.stats = Stats(*told, self.renderer.encoded, self.processor.gaps, self.clock)
        memory = LiveState(self.live_view.frames, self.annotations, self.processor, self.saver, self.history)
        eraser = Eraser(commands, self.faces, self.history, self.jobs, memory.forget)
        self.erasures = ErasureCoordinator(commands, self.clock, eraser)
        self._results = StreamReader(
            self._clients,
            self.clock,
            self._read_sources,
            begin=self.processor.begin,
            take=self.take,
            pass_time=self.processor.pass_time,
            bury=self.predictions.bury,
        )

    def browser_camera(self, name: str) -> BrowserCamera:
        """The camera of a browser that has just connected."""
        return BrowserCamera(self._clients.commands, self.added_sources, self.clock, name)

    async def run(self) -> None:
        """Read, watch and save until cancelled; an unexpected error in any part ends all of it."""
        patience = PollingSupervisor()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(patience.keep_turning("registry", self.registry.look))
                tasks.create_task(patience.keep_turning("settings", self.runtime_settings.look))
                tasks.create_task(patience.keep_turning("desired", self.added_sources.look))
                tasks.create_task(patience.keep_turning("results", self._results.read))
                tasks.create_task(patience.keep_turning("frames", self.live_view.frames.listen))
                tasks.create_task(patience.keep_turning("snapshots", self.processor.snapshots.keep))
                tasks.create_task(patience.keep_turning("lease", self.saver.keep_lease))
                tasks.create_task(patience.keep_turning("erasures", self.erasures.look))
                tasks.create_task(patience.keep_turning("gateways", self.erasures.be_seen))
                tasks.create_task(self.history.run(patience))
                for work in (self.saver.save_next, self.hub.tick, self._tell_stats, self._sweeper.sweep):
                    tasks.create_task(_for_ever(work))
        finally:
            await self._close()

    def take(self, source: str, entry: bytes, outcome: Outcome) -> None:
        """An entry of a source's results."""
        if source == keys.UPLOADS:
            self.predictions.take(outcome)
        else:
            self.processor.take(source, entry, outcome)

    def _take_reading(self, steady: SmoothedReading) -> None:
        """Do with a reading all that is to be done with it."""
        reading, now_ms = steady.reading, max(self.clock.now_ms(), steady.entry_ms)
        source = reading.id.source
        live = not self._is_recorded(source)
        age_ms = max(0, now_ms - reading.captured_ms) if live else None
        track = self.active_tracks.show(steady, reading.captured_ms if live else now_ms)
        answer = events.Answer.of(steady.probabilities, track.judgement) if track else None
        stages = events.Stages.of(reading, steady.entry_ms, now_ms) if live else None
        told = events.Reading.tell(reading, answer, age_ms, stages)
        self.hub.add(told)
        if live:
            self.history.take_reading(told)
        self.stats.count(source, age_ms, told.stages, stale=reading.stale)
        self.metrics.count(source, age_ms, stale=reading.stale)
        if track:
            self.annotations.add(reading.id, reading.captured_ms, reading.face.track, track.judgement)
            self.saver.offer(track)

    def _take_past(self, told: ProcessorOutput) -> None:
        self.history.take_past(told)

    def _take_episode(self, episode: events.Episode) -> None:
        self.hub.add(episode)
        if not self._is_recorded(episode.source):
            self.history.take_episode(episode)

    def _is_recorded(self, source: str) -> bool:
        status = self.registry.find(source)
        return status is not None and status.kind == "job"

    def _read_sources(self) -> Iterator[str]:
        """Uploads always: its cursor has to stand before the first picture is handed in."""
        yield keys.UPLOADS
        yield from (status.name for status in self.registry.sources() if status.name != keys.UPLOADS)

    def _least_blur(self) -> Blur:
        return self.runtime_settings.settings.blur if self.runtime_settings.known else "mask"

    def _tell_state(self, status: SourceStatus) -> None:
        self.hub.add(events.State.tell(status))

    def _tell_gone(self, source: str) -> None:
        self.processor.forget(source)
        self.annotations.forget(source)
        self.hub.add(events.Gone(source=source))

    async def _tell_stats(self) -> None:
        await asyncio.sleep(STATS_EVERY.total_seconds())
        self.active_tracks.forget(self.clock.now_ms())
        self.hub.add(self.stats.finish_second())

    async def _close(self) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(2):
                await self.saver.give_back()
                await self.processor.snapshots.give_back()
                await self.history.end()
                await self.erasures.leave()
                await self.live_view.frames.close()
                await self._clients.close()
        except (*OUTAGES, TimeoutError) as error:
            logger.info("left without a word to redis", error=str(error), after=round(time.monotonic() - started, 1))


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
