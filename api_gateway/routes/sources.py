"""`/api/v1/sources`: what is captured, and what people add to it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api_gateway.errors import ApiError
from api_gateway.gateway import Gateway
from api_gateway.routes.dependencies import AskedGateway, NamedSource
from api_gateway.security.access import Operator, SourceViewer
from contract.address import DetectorName, added_kind
from contract.errors import SourceError
from contract.keys import SOURCE_NAME
from contract.messages import AddedSource, SourceKind, SourceState, SourceStatus
from contract.network import StreamRules, UnknownHost

router = APIRouter(prefix="/api/v1/sources", tags=["sources"])
EXAMPLE: JsonDict = {
    "name": "front",
    "kind": "camera",
    "order": 0,
    "address": "rtsp://camera.local/live",
    "state": "ONLINE",
    "reason": "",
    "since_ms": 1790000000000,
    "width": 1280,
    "height": 720,
    "fps": 14.8,
    "frames": 5120,
    "skipped": 12,
    "removable": True,
}
RESOLVER_SECONDS = 3.0
NOT_TAKEN_UP = "waits for a capture service"


class SourceAnswer(BaseModel):
    """A source as it is now."""

    model_config = {
        "from_attributes": True,
        "json_schema_extra": {"example": EXAMPLE},
    }

    name: str
    kind: SourceKind
    order: int
    address: str
    """What is captured, without credentials."""
    state: SourceState
    reason: str
    """Why it is not ONLINE."""
    since_ms: int
    width: int
    height: int
    fps: float
    frames: int
    """Looked at since the capture started."""
    skipped: int
    """Passed over for newer ones."""
    removable: bool = False
    """Whether it was added here, so that it can be removed here. A browser's camera ends with its page."""


class SourcesAnswer(BaseModel):
    """All sources in their order."""

    model_config = {"json_schema_extra": {"example": {"sources": [EXAMPLE]}}}

    sources: list[SourceAnswer]


class NewSource(BaseModel):
    """A source that is to be captured."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"example": {"name": "front", "address": "rtsp://user:password@camera.local/live"}},
    )

    name: Annotated[str, Field(pattern=f"^{SOURCE_NAME.pattern}$")]
    address: Annotated[str, Field(min_length=1, max_length=2000, repr=False)]
    """A webcam's number, `demo`, the whole path of a video or of a folder of pictures, or a URL: rtsp, rtsps, http,
    https. A password in it goes nowhere but to the capture service."""
    loop: bool = False
    """Begin again at the end; files and folders only."""
    fps: Annotated[float, Field(gt=0, le=240)] | None = None
    """Frames a second to look at; all of them by default."""
    detector: DetectorName | None = None
    """What finds faces; by default what the capture service is set to."""


@router.get("")
async def sources(gateway: AskedGateway, grant: SourceViewer) -> SourcesAnswer:
    """All sources; one that was not heard of for 5 s is OFFLINE and behind the others, after a minute it is gone."""
    known = [_answer(status, gateway) for status in gateway.registry.sources()]
    names = {answer.name for answer in known}
    waiting = [_waiting(source) for source in gateway.added_sources.sources.values() if source.name not in names]
    return SourcesAnswer(sources=[answer for answer in known + waiting if grant.sees(answer.name)])


@router.post("", status_code=201)
async def add(new: NewSource, response: Response, gateway: AskedGateway, _: Operator) -> SourceAnswer:
    """Have one more source captured, also after restarts, until it is removed (409: the name is taken)."""
    try:
        kind = added_kind(new.name, new.address)
    except SourceError as error:
        raise ApiError(422, "bad_source", str(error)) from error
    if kind == "stream":
        await _check_host(new, gateway)
    if new.loop and kind not in {"path", "demo"}:
        raise ApiError(422, "bad_source", f"source {new.name!r}: only a file or a folder can loop")
    source = AddedSource(**new.model_dump(), added_ms=gateway.clock.now_ms())
    await gateway.added_sources.add(source)
    response.headers["Location"] = f"/api/v1/sources/{new.name}"
    return _waiting(source)


@router.get("/{name}")
async def source(name: NamedSource, gateway: AskedGateway) -> SourceAnswer:
    """One source."""
    if (waiting := gateway.added_sources.sources.get(name)) and all(
        name != one.name for one in gateway.registry.sources()
    ):
        return _waiting(waiting)
    return _answer(gateway.registry.source(name), gateway)


@router.delete("/{name}", status_code=204)
async def remove(name: Annotated[str, Path(examples=["front"])], gateway: AskedGateway, _: Operator) -> None:
    """Have a source that was added captured no more (409: it was not added here)."""
    await gateway.added_sources.remove(name)


async def _check_host(new: NewSource, gateway: Gateway) -> None:
    """Refuse a host that the capture service would refuse, where that can be told here; it looks again each time."""
    rules = StreamRules(gateway.settings.camera_networks, gateway.settings.redis_url)
    try:
        async with asyncio.timeout(RESOLVER_SECONDS):
            await asyncio.to_thread(rules.destinations, new.name, new.address)
    except (UnknownHost, TimeoutError):
        return  # the capture service may know it, in another network
    except SourceError as error:
        raise ApiError(422, "forbidden_host", str(error)) from error


def _answer(status: SourceStatus, gateway: Gateway) -> SourceAnswer:
    desired = gateway.added_sources.sources.get(status.name)
    answer = SourceAnswer.model_validate(status)
    return answer.model_copy(update={"removable": desired is not None and desired.camera is None})


def _waiting(source: AddedSource) -> SourceAnswer:
    """A source that was added and that no capture service has told of yet. What its address is only that can say."""
    return SourceAnswer(
        name=source.name,
        kind="camera",
        order=0,
        address="",
        state="OFFLINE",
        reason=NOT_TAKEN_UP,
        since_ms=source.added_ms,
        width=0,
        height=0,
        fps=0.0,
        frames=0,
        skipped=0,
        removable=source.camera is None,
    )
