"""`/api/v1/faces`: the saved faces."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.errors import ApiError
from api_gateway.face_name import FaceName, FaceNameError
from api_gateway.face_store import NoSuchFace
from api_gateway.routes.asked import AskedGateway

router = APIRouter(prefix="/api/v1/faces", tags=["saved faces"])
EXAMPLE = "happy_97.3_20260131_235959_000001.jpg"
FACE_EXAMPLE: JsonDict = {
    "name": EXAMPLE,
    "emotion": "happy",
    "confidence": 97.3,
    "saved": "2026-01-31T23:59:59.000001Z",
    "url": f"/api/v1/faces/happy/{EXAMPLE}",
}


EmotionPart = Annotated[str, Path(examples=["happy"])]
NamePart = Annotated[str, Path(examples=[EXAMPLE])]
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The picture of the face.",
    }
}


class SavedFace(BaseModel):
    """A saved face."""

    model_config = {"json_schema_extra": {"example": FACE_EXAMPLE}}

    name: str
    emotion: str
    confidence: float
    """In percent."""
    saved: datetime
    url: str


class FacesAnswer(BaseModel):
    """One page of saved faces, the newest first."""

    model_config = {"json_schema_extra": {"example": {"faces": [FACE_EXAMPLE], "total": 1, "next": None}}}

    faces: list[SavedFace]
    total: int
    """Of this emotion, or of all."""
    next: str | None
    """What to give as `before` for the next page; None at the end."""


@router.get("")
async def faces(
    gateway: AskedGateway,
    emotion: Annotated[str | None, Query(max_length=32, examples=["happy"])] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> FacesAnswer:
    """List saved faces, the newest first."""
    last = None if before is None else _parse(before)
    found, total = await asyncio.to_thread(gateway.faces.newest, emotion, limit + 1, last)
    page = found[:limit]
    return FacesAnswer(
        faces=[_answer(name) for name in page], total=total, next=str(page[-1]) if len(found) > limit else None
    )


@router.get("/{emotion}/{name}", response_class=Response, responses=PICTURE)
async def face(emotion: EmotionPart, name: NamePart, gateway: AskedGateway) -> Response:
    """A saved face as JPEG."""
    try:
        jpeg = await asyncio.to_thread(gateway.faces.read, _named(emotion, name))
    except NoSuchFace as error:
        raise ApiError(404, "unknown_face", str(error)) from error
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


@router.delete("/{emotion}/{name}", status_code=204)
async def delete(emotion: EmotionPart, name: NamePart, gateway: AskedGateway) -> None:
    """Delete a saved face."""
    try:
        await asyncio.to_thread(gateway.faces.delete, _named(emotion, name))
    except NoSuchFace as error:
        raise ApiError(404, "unknown_face", str(error)) from error


def _named(emotion: str, name: str) -> FaceName:
    face = _parse(name)
    if face.emotion != emotion:
        raise ApiError(404, "unknown_face", f"no saved face {name} of {emotion[:32]!r}")
    return face


def _parse(name: str) -> FaceName:
    try:
        return FaceName.parse(name)
    except FaceNameError as error:
        raise ApiError(404, "unknown_face", str(error)) from error


def _answer(name: FaceName) -> SavedFace:
    return SavedFace(
        name=str(name),
        emotion=name.emotion,
        confidence=name.confidence,
        saved=name.saved,
        url=f"/api/v1/faces/{name.emotion}/{name}",
    )
