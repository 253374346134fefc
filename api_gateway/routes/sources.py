"""`/api/v1/sources`: lists, adds and removes sources."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api_gateway.routes.dependencies import AddedSourcesDep, ClockDep, PathSource, RegistryDep, StreamRulesDep
from api_gateway.security.access import Operator, SourceViewer
from api_gateway.sources.added_sources import AddedSources
from api_gateway.sources.address_check import check_address
from contract.address import DetectorName
from contract.keys import SOURCE_NAME
from contract.messages import AddedSource, SourceKind, SourceState, SourceStatus

router = APIRouter(prefix="/api/v1/sources", tags=["sources"])
EXAMPLE: JsonDict = {
    "name": "front",
    "kind": "camera",
    "order": 0,
    "address": "rtsp://camera.local/live",
    "state": "ONLINE",
    "reason": "",
    "warning": "",
    "since_ms": 1790000000000,
    "width": 1280,
    "height": 720,
    "fps": 14.8,
    "frames": 5120,
    "skipped": 12,
    "removable": True,
}
NOT_CAPTURED = "waits for a capture service"


class SourceResponse(BaseModel):
    """The status of a source."""

    model_config = {
        "from_attributes": True,
        "json_schema_extra": {"example": EXAMPLE},
    }

    name: str
    kind: SourceKind
    order: int
    address: str
    """What the capture service reads, without credentials."""
    state: SourceState
    reason: str
    """Why the source is not ONLINE."""
    warning: str = ""
    """What is wrong although it is ONLINE, for people: most of its frames are skipped."""
    since_ms: int
    width: int
    height: int
    fps: float
    frames: int
    """Number of frames analysed since the capture started."""
    skipped: int
    """Number of frames skipped for newer ones."""
    removable: bool = False
    """Whether the source was added here and so can be removed here. A browser's camera ends with its page."""


class SourcesResponse(BaseModel):
    """All sources in their order."""

    model_config = {"json_schema_extra": {"example": {"sources": [EXAMPLE]}}}

    sources: list[SourceResponse]


class NewSource(BaseModel):
    """A source to capture."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"example": {"name": "front", "address": "rtsp://user:password@camera.local/live"}},
    )

    name: Annotated[str, Field(pattern=f"^{SOURCE_NAME.pattern}$")]
    address: Annotated[str, Field(min_length=1, max_length=2000, repr=False)]
    """A webcam's number, `demo`, the whole path of a video or of a folder of pictures, or a URL: rtsp, rtsps, http,
    https. Only the capture service receives a password in it."""
    loop: bool = False
    """Start again at the end; files and folders only."""
    fps: Annotated[float, Field(gt=0, le=240)] | None = None
    """Frames a second to analyse; by default all."""
    detector: DetectorName | None = None
    """The face detector; by default that of the capture service's settings."""


@router.get("")
async def list_sources(registry: RegistryDep, added_sources: AddedSourcesDep, grant: SourceViewer) -> SourcesResponse:
    """All sources. One that has not reported for 5 s is OFFLINE and comes last; after a minute it is removed."""
    known = [_response(status, added_sources) for status in registry.sources()]
    names = {source.name for source in known}
    waiting = [_waiting(source) for source in added_sources.sources.values() if source.name not in names]
    return SourcesResponse(sources=[source for source in known + waiting if grant.sees(source.name)])


@router.post("", status_code=201)
async def add(
    new: NewSource,
    response: Response,
    added_sources: AddedSourcesDep,
    rules: StreamRulesDep,
    clock: ClockDep,
    _: Operator,
) -> SourceResponse:
    """Add a source; it is captured, also after restarts, until it is removed (409: the name is taken)."""
    await check_address(new.name, new.address, loop=new.loop, rules=rules)
    source = AddedSource(**new.model_dump(), added_ms=clock.now_ms())
    await added_sources.add(source)
    response.headers["Location"] = f"/api/v1/sources/{new.name}"
    return _waiting(source)


@router.get("/{name}")
async def source(name: PathSource, registry: RegistryDep, added_sources: AddedSourcesDep) -> SourceResponse:
    """One source."""
    if (waiting := added_sources.sources.get(name)) and registry.find(name) is None:
        return _waiting(waiting)
    return _response(registry.source(name), added_sources)


@router.delete("/{name}", status_code=204)
async def remove(name: Annotated[str, Path(examples=["front"])], added_sources: AddedSourcesDep, _: Operator) -> None:
    """Remove an added source; it is no longer captured (409: it was not added here)."""
    await added_sources.remove(name)


def _response(status: SourceStatus, added_sources: AddedSources) -> SourceResponse:
    added = added_sources.sources.get(status.name)
    response = SourceResponse.model_validate(status)
    return response.model_copy(update={"removable": added is not None and added.camera is None})


def _waiting(source: AddedSource) -> SourceResponse:
    """An added source that no capture service has reported yet; only that service removes the credentials."""
    return SourceResponse(
        name=source.name,
        kind="camera",
        order=0,
        address="",
        state="OFFLINE",
        reason=NOT_CAPTURED,
        since_ms=source.added_ms,
        width=0,
        height=0,
        fps=0.0,
        frames=0,
        skipped=0,
        removable=source.camera is None,
    )
