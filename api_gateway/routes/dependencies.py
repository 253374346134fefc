"""The dependencies of the routes: the gateway's services, each with its type, and the source that a request names.

This module alone reads `app.state`, which `api_gateway.app` fills.
"""

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import HTTPConnection

from api_gateway.disks import Disks
from api_gateway.erasure.coordinator import ErasureCoordinator
from api_gateway.faces.saver import FaceSaver
from api_gateway.faces.store import FaceStore
from api_gateway.gateway import Gateway
from api_gateway.history.service import HistoryService
from api_gateway.metrics import Metrics
from api_gateway.results.active_tracks import ActiveTracks
from api_gateway.results.processor import ResultProcessor
from api_gateway.runtime_settings import RuntimeSettingsReader
from api_gateway.security.access import Access, SourceViewer, require_source
from api_gateway.security.tokens import Grant
from api_gateway.settings import GatewaySettings
from api_gateway.sources.added_sources import AddedSources
from api_gateway.sources.browser_camera import BrowserCamera
from api_gateway.sources.errors import UnknownSource
from api_gateway.sources.registry import Registry
from api_gateway.stats import Stats
from api_gateway.uploads.jobs import Jobs
from api_gateway.uploads.predictions import Predictions
from api_gateway.uploads.request_body import ArrivingPictures
from api_gateway.video.mjpeg import Viewers
from api_gateway.video.renderer import FrameRenderer
from api_gateway.video.stream import VideoStream
from api_gateway.websocket.hub import Hub
from contract.network import StreamRules
from contract.redis.clock import RedisClock


async def _gateway(connection: HTTPConnection) -> Gateway:
    gateway: Gateway = connection.app.state.gateway
    return gateway


async def _access(connection: HTTPConnection) -> Access:
    access: Access = connection.app.state.access
    return access


_GatewayDep = Annotated[Gateway, Depends(_gateway)]
AccessDep = Annotated[Access, Depends(_access)]


async def _settings(gateway: _GatewayDep) -> GatewaySettings:
    return gateway.settings


async def _clock(gateway: _GatewayDep) -> RedisClock:
    return gateway.clock


async def _metrics(gateway: _GatewayDep) -> Metrics:
    return gateway.metrics


async def _hub(gateway: _GatewayDep) -> Hub:
    return gateway.hub


async def _viewers(gateway: _GatewayDep) -> Viewers:
    return gateway.viewers


async def _faces(gateway: _GatewayDep) -> FaceStore:
    return gateway.faces


async def _saver(gateway: _GatewayDep) -> FaceSaver:
    return gateway.saver


async def _jobs(gateway: _GatewayDep) -> Jobs:
    return gateway.jobs


async def _predictions(gateway: _GatewayDep) -> Predictions:
    return gateway.predictions


async def _disks(gateway: _GatewayDep) -> Disks:
    return gateway.disks


async def _arriving_pictures(gateway: _GatewayDep) -> ArrivingPictures:
    return gateway.arriving_pictures


async def _registry(gateway: _GatewayDep) -> Registry:
    return gateway.registry


async def _added_sources(gateway: _GatewayDep) -> AddedSources:
    return gateway.added_sources


async def _runtime_settings(gateway: _GatewayDep) -> RuntimeSettingsReader:
    return gateway.runtime_settings


async def _active_tracks(gateway: _GatewayDep) -> ActiveTracks:
    return gateway.active_tracks


async def _processor(gateway: _GatewayDep) -> ResultProcessor:
    return gateway.processor


async def _renderer(gateway: _GatewayDep) -> FrameRenderer:
    return gateway.renderer


async def _video(gateway: _GatewayDep) -> VideoStream:
    return gateway.video


async def _history(gateway: _GatewayDep) -> HistoryService:
    return gateway.history


async def _stats(gateway: _GatewayDep) -> Stats:
    return gateway.stats


async def _erasures(gateway: _GatewayDep) -> ErasureCoordinator:
    return gateway.erasures


async def _browser_camera(gateway: _GatewayDep, name: str) -> BrowserCamera:
    return gateway.browser_camera(name)


SettingsDep = Annotated[GatewaySettings, Depends(_settings)]
ClockDep = Annotated[RedisClock, Depends(_clock)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
HubDep = Annotated[Hub, Depends(_hub)]
ViewersDep = Annotated[Viewers, Depends(_viewers)]
FaceStoreDep = Annotated[FaceStore, Depends(_faces)]
FaceSaverDep = Annotated[FaceSaver, Depends(_saver)]
JobsDep = Annotated[Jobs, Depends(_jobs)]
ArrivingPicturesDep = Annotated[ArrivingPictures, Depends(_arriving_pictures)]
PredictionsDep = Annotated[Predictions, Depends(_predictions)]
DisksDep = Annotated[Disks, Depends(_disks)]
RegistryDep = Annotated[Registry, Depends(_registry)]
AddedSourcesDep = Annotated[AddedSources, Depends(_added_sources)]
RuntimeSettingsDep = Annotated[RuntimeSettingsReader, Depends(_runtime_settings)]
ActiveTracksDep = Annotated[ActiveTracks, Depends(_active_tracks)]
ResultProcessorDep = Annotated[ResultProcessor, Depends(_processor)]
RendererDep = Annotated[FrameRenderer, Depends(_renderer)]
VideoStreamDep = Annotated[VideoStream, Depends(_video)]
HistoryDep = Annotated[HistoryService, Depends(_history)]
StatsDep = Annotated[Stats, Depends(_stats)]
ErasuresDep = Annotated[ErasureCoordinator, Depends(_erasures)]
BrowserCameraDep = Annotated[BrowserCamera, Depends(_browser_camera)]
"""The camera of a browser that has just connected, under `name` of the path."""


async def _stream_rules(settings: SettingsDep) -> StreamRules:
    return StreamRules(settings.camera_networks, settings.redis_url)


StreamRulesDep = Annotated[StreamRules, Depends(_stream_rules)]
"""Which hosts a stream may come from."""


async def _query_source(
    registry: RegistryDep,
    grant: SourceViewer,
    source: Annotated[
        str | None,
        Query(description="A source's name; by default the first camera.", examples=["front"], max_length=64),
    ] = None,
) -> str | None:
    if source is None and grant.sources is not None:
        cameras = (status.name for status in registry.sources() if status.kind == "camera")
        source = next(filter(grant.sees, cameras), min(grant.sources))
    return None if source is None else _authorized(registry, grant, source)


async def _path_source(
    registry: RegistryDep, grant: SourceViewer, name: Annotated[str, Path(examples=["front"])]
) -> str:
    return _authorized(registry, grant, name)


def _authorized(registry: Registry, grant: Grant, name: str) -> str:
    require_source(grant, name)
    if grant.sources is not None and all(status.name != name for status in registry.sources()):
        # Not the registry's own error, whose message lists all sources.
        raise UnknownSource(f"source {name!r} is not there now")
    return name


QuerySource = Annotated[str | None, Depends(_query_source)]
"""`source` of the query; None: the first camera, for a grant that includes all sources."""
PathSource = Annotated[str, Depends(_path_source)]
"""`name` of the path."""
