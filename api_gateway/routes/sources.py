"""`/api/v1/sources`."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.routes.asked import AskedGateway
from contract.messages import SourceKind, SourceState, SourceStatus

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
}


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


class SourcesAnswer(BaseModel):
    """All sources in their order."""

    model_config = {"json_schema_extra": {"example": {"sources": [EXAMPLE]}}}

    sources: list[SourceAnswer]


@router.get("")
async def sources(gateway: AskedGateway) -> SourcesAnswer:
    """All sources; one that was not heard of for 5 s is OFFLINE and behind the others, after a minute it is gone."""
    return SourcesAnswer(sources=[_answer(status) for status in gateway.registry.sources()])


@router.get("/{name}")
async def source(name: Annotated[str, Path(examples=["front"])], gateway: AskedGateway) -> SourceAnswer:
    """One source."""
    return _answer(gateway.registry.source(name))


def _answer(status: SourceStatus) -> SourceAnswer:
    return SourceAnswer.model_validate(status)
