"""Wires the parts of the gateway together and runs them; the web side comes on top."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog

from api_gateway.cleanup import Cleanup
from api_gateway.disks import Disks, RedisDisk
from api_gateway.erasure.coordinator import ErasureCoordinator
from api_gateway.erasure.eraser import Eraser
from api_gateway.erasure.live_state import LiveState
from api_gateway.faces.retention import FaceRetention
from api_gateway.faces.saver import LEASE_TASK as SAVING
from api_gateway.faces.saver import FaceSaver
from api_gateway.faces.store import FaceStore
from api_gateway.history.database import Database
from api_gateway.history.service import LEASE_TASK as RECORDING
from api_gateway.history.service import HistoryService
from api_gateway.leader_election import LeaderElection
from api_gateway.metrics import Metrics
from api_gateway.polling import NO_PAUSE, PollingSupervisor, every
from api_gateway.restorations import Restorations
from api_gateway.results.active_tracks import ActiveTracks
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.results.processor import ResultProcessor
from api_gateway.results.sinks import ResultSink
from api_gateway.results.stream_reader import StreamReader
from api_gateway.runtime_settings import RuntimeSettingsReader
from api_gateway.security.audit import AuditLog
from api_gateway.settings import GatewaySettings
from api_gateway.settings_copy import SettingsCopy
from api_gateway.sources.added_sources import AddedSources
from api_gateway.sources.browser_camera import BrowserCamera
from api_gateway.sources.registry import Registry
from api_gateway.stats import Stats
from api_gateway.uploads.jobs import Jobs
from api_gateway.uploads.predictions import Predictions
from api_gateway.uploads.request_body import ArrivingPictures
from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import FrameBuffer
from api_gateway.video.live_view import LiveView
from api_gateway.video.mjpeg import Viewers
from api_gateway.video.renderer import FrameRenderer
from api_gateway.video.stream import VideoStream
from api_gateway.websocket.hub import Hub
from contract.errors import BrokerUnavailable, reason_of
from contract.redis.broker import OUTAGES, connect_async
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease
from contract.runtime_settings import RuntimeSettings

logger = structlog.get_logger()
HALF_A_SECOND, ONE_SECOND = timedelta(seconds=0.5), timedelta(seconds=1)
SWEEP_EVERY = timedelta(seconds=30)
CLOSE_SECONDS = 2.0
"""That the closing of all parts may take which need Redis."""
LEAST_CLOSE_SECONDS = 0.2
"""That each part has in any case."""


class Gateway:
    """The parts of a gateway, built in one place. Opens no connection before `run`."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.clock = RedisClock()
        self.metrics = Metrics()
        self.hub = Hub(self.clock, self.metrics.missed.inc)
        self.viewers = Viewers()
        self._clients = connect_async(settings.redis_url, "gateway")
        commands = self._clients.commands

        redis_disk = RedisDisk(commands)
        self.registry = Registry(commands, self.clock, self.hub.source_changed, self._source_gone, redis_disk.refusal)
        self.audit = AuditLog(settings.audit_log)
        restorations = Restorations(self.audit, self.clock)
        self.added_sources = AddedSources(commands, self.registry, settings.added_sources, restorations.report)
        self.runtime_settings = RuntimeSettingsReader(
            commands,
            RuntimeSettings(saving=settings.save),
            RuntimeSettings(saving=settings.saving_allowed, blur=settings.min_blur),
            SettingsCopy(settings.settings_copy),
            restorations.report,
        )

        self.active_tracks = ActiveTracks()
        self.annotations = FrameAnnotations()
        self.live_view = LiveView(self.registry, FrameBuffer(self._clients), self.active_tracks, self.clock)
        self.renderer = FrameRenderer(self.live_view.frames, self.annotations, settings.video_quality)
        self.video = VideoStream(
            self.live_view, self.renderer, settings.video_quality, self.runtime_settings.least_blur
        )

        self.faces = FaceStore(settings.saved_faces)
        self.saver = FaceSaver(
            self.live_view,
            self.faces,
            LeaderElection(AsyncLease(commands, SAVING), "saving faces"),
            self.metrics,
            settings=self.runtime_settings,
            every=settings.save_every,
        )

        erased = ErasedScopes()
        database, recording = Database(settings.database_url), AsyncLease(commands, RECORDING)
        self.history = HistoryService(database, recording, self.clock, settings.history, erased)
        self.disks = Disks(redis_disk, self.saver, self.history)
        self._redis_disk = redis_disk
        self.stats = Stats(
            self.registry,
            self.saver,
            self.history,
            self.runtime_settings,
            self.renderer.encoded,
            self._gaps,
            restorations,
            self.disks,
            self.clock,
        )
        self.processor = ResultProcessor(
            commands,
            self.clock,
            settings.smoothing_parameters,
            erased=erased,
            sinks=self._sinks(),
            backfill=self.history,
            is_recorded=self._is_recorded,
            on_dropped=self.metrics.repeats.inc,
        )

        self.arriving_pictures = ArrivingPictures(settings.upload_limit)
        self.predictions = Predictions(commands, self.registry, self.clock, settings.predict_timeout)
        self.jobs = Jobs(commands, self.clock, settings.jobs, settings.jobs_upload_limit)
        self._reader = StreamReader(
            self._clients, self.clock, self._source_names, processor=self.processor, uploads=self.predictions
        )
        retention = FaceRetention(settings.saved_faces, settings.saved_faces_kept, settings.saved_faces_limit)
        self._cleanup = Cleanup(retention, self.jobs)

        live_state = LiveState(
            self.clock, erased, self.live_view.frames, self.annotations, self.processor, self.saver, self.history
        )
        eraser = Eraser(commands, self.faces, self.history, self.jobs)
        self.erasures = ErasureCoordinator(commands, self.clock, eraser, live_state, restorations.report)

    def browser_camera(self, name: str) -> BrowserCamera:
        """The camera of a browser that has just connected."""
        return BrowserCamera(self._clients.commands, self.added_sources, self.clock, name)

    async def run(self) -> None:
        """Run every part until cancelled; an unexpected error in one ends all of them."""
        polls = PollingSupervisor()
        async with self._closing(), asyncio.TaskGroup() as tasks:
            for part, interval, poll in (
                ("registry", HALF_A_SECOND, self.registry.poll),
                ("settings", HALF_A_SECOND, self.runtime_settings.poll),
                ("added sources", HALF_A_SECOND, self.added_sources.poll),
                ("disk of redis", ONE_SECOND, self._redis_disk.poll),
                ("results", NO_PAUSE, self._reader.read),
                ("frames", NO_PAUSE, self.live_view.frames.listen),
                ("snapshots", ONE_SECOND, self.processor.snapshots.poll),
                ("saving", HALF_A_SECOND, self.saver.poll_election),
                ("erasures", HALF_A_SECOND, self.erasures.poll),
                ("heartbeat", HALF_A_SECOND, self.erasures.send_heartbeat),
            ):
                tasks.create_task(polls.every(interval, part, poll), name=part)
            tasks.create_task(self.history.run(polls), name="history")
            tasks.create_task(every(NO_PAUSE, self.saver.save_next), name="saver")
            tasks.create_task(every(NO_PAUSE, self.hub.tick), name="hub")
            tasks.create_task(every(ONE_SECOND, self._publish_stats), name="stats")
            tasks.create_task(self._clean_up(), name="cleanup")

    def _sinks(self) -> Sequence[ResultSink]:
        """All that receive results, in their order."""
        return (
            self.active_tracks,
            self.hub,
            self.history,
            self.stats,
            self.metrics,
            self.annotations,
            self.saver,
        )

    @asynccontextmanager
    async def _closing(self) -> AsyncIterator[None]:
        """Closes every part in the end, the last one first, however the others fare."""
        deadline: float | None = None

        async def close(part: str, closing: Callable[[], Awaitable[None]]) -> None:
            nonlocal deadline
            now = asyncio.get_running_loop().time()
            deadline = deadline or now + CLOSE_SECONDS
            try:
                async with asyncio.timeout_at(max(deadline, now + LEAST_CLOSE_SECONDS)):
                    await closing()
            except (*OUTAGES, BrokerUnavailable, TimeoutError) as error:
                logger.info("part closed without redis", part=part, error=reason_of(error))

        async with AsyncExitStack() as parts:
            parts.push_async_callback(close, "connections", self._clients.close)
            parts.push_async_callback(close, "frames", self.live_view.frames.close)
            parts.push_async_callback(close, "erasures", self.erasures.deregister)
            parts.push_async_callback(close, "history", self.history.resign)
            parts.push_async_callback(close, "snapshots", self.processor.snapshots.election.resign)
            parts.push_async_callback(close, "saving", self.saver.election.resign)
            parts.push_async_callback(self.history.flush)
            yield

    async def _publish_stats(self) -> None:
        self.active_tracks.prune(self.clock.now_ms())
        self.hub.add(self.stats.finish_second())

    async def _clean_up(self) -> None:
        await self._cleanup.sweep()
        await every(SWEEP_EVERY, self._cleanup.sweep)

    def _source_gone(self, source: str) -> None:
        self.processor.forget(source)

    def _source_names(self) -> list[str]:
        return [status.name for status in self.registry.sources()]

    def _is_recorded(self, source: str) -> bool:
        status = self.registry.find(source)
        return status is not None and status.kind == "job"

    def _gaps(self, source: str) -> int:
        return self.processor.gaps(source)
