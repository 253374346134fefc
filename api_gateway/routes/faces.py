"""`/api/v1/faces`: the saved faces, and `/api/v1/emotions`: what they may be labelled."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.errors import ApiError, refusal
from api_gateway.faces.filename import FaceName, FaceNameError
from api_gateway.faces.store import NoSuchFace, StoreFull
from api_gateway.gateway import Gateway
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.security.access import Operator, SourceViewer, Viewer
from contract.judgement import UNCERTAIN

router = APIRouter(prefix="/api/v1", tags=["saved faces"])
EXAMPLE = "happy_97.3_20260131_235959_000001.jpg"
FACE_EXAMPLE: JsonDict = {
    "name": EXAMPLE,
    "emotion": "happy",
    "confidence": 97.3,
    "labelled": False,
    "was": None,
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


CANNOT_LABEL: dict[int | str, dict[str, Any]] = {
    422: refusal("No such emotion.", "unknown_emotion", "'joy' is none of: angry, happy, sad"),
    507: refusal("The disk is full.", "storage_full", "no face can be moved in saved_faces: No space left on device"),
}


class SavedFace(BaseModel):
    """A saved face."""

    model_config = {"json_schema_extra": {"example": FACE_EXAMPLE}}

    name: str
    emotion: str
    confidence: float
    """The model's, in percent."""
    labelled: bool
    """Whether a person said that this is the emotion."""
    was: str | None
    """What the model had said, of a labelled face."""
    saved: datetime
    url: str


class EmotionsAnswer(BaseModel):
    """What a saved face may be labelled."""

    model_config = {"json_schema_extra": {"example": {"emotions": ["angry", "happy", "sad"]}}}

    emotions: list[str]
    """The labels of the models that run, in their order, then those of which there are saved faces."""


class Label(BaseModel):
    """What a person says of a face."""

    model_config = {"extra": "forbid", "json_schema_extra": {"example": {"emotion": "sad"}}}

    emotion: str
    """One of `/api/v1/emotions`."""


class FacesAnswer(BaseModel):
    """One page of saved faces, the newest first."""

    model_config = {"json_schema_extra": {"example": {"faces": [FACE_EXAMPLE], "total": 1, "next": None}}}

    faces: list[SavedFace]
    total: int
    """Of this emotion, or of all."""
    next: str | None
    """What to give as `before` for the next page; None at the end."""


@router.get("/faces")
async def faces(
    gateway: AskedGateway,
    _: Viewer,
    emotion: Annotated[str | None, Query(max_length=32, examples=["happy"])] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=160, description="`next` of the page before.")] = None,
) -> FacesAnswer:
    """List saved faces, the newest first."""
    last = None if before is None else _parse(before)
    found, total = await asyncio.to_thread(gateway.faces.newest, emotion, limit + 1, last)
    page = found[:limit]
    return FacesAnswer(
        faces=[_answer(name) for name in page], total=total, next=str(page[-1]) if len(found) > limit else None
    )


@router.get("/faces/{emotion}/{name}", response_class=Response, responses=PICTURE)
async def face(emotion: EmotionPart, name: NamePart, gateway: AskedGateway, _: Viewer) -> Response:
    """A saved face as JPEG."""
    try:
        jpeg = await asyncio.to_thread(gateway.faces.read, _named(emotion, name))
    except NoSuchFace as error:
        raise ApiError(404, "unknown_face", str(error)) from error
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


@router.delete("/faces/{emotion}/{name}", status_code=204)
async def delete(emotion: EmotionPart, name: NamePart, gateway: AskedGateway, _: Operator) -> None:
    """Delete a saved face."""
    try:
        await asyncio.to_thread(gateway.faces.delete, _named(emotion, name))
    except NoSuchFace as error:
        raise ApiError(404, "unknown_face", str(error)) from error


@router.patch("/faces/{emotion}/{name}", responses=CANNOT_LABEL)
async def label(emotion: EmotionPart, name: NamePart, said: Label, gateway: AskedGateway, _: Operator) -> SavedFace:
    """Say which emotion a saved face shows; the answer is the face under its new name, which tells so from then on."""
    face = _named(emotion, name)
    if said.emotion not in (choice := await _choice(gateway)):
        raise ApiError(422, "unknown_emotion", f"{said.emotion[:40]!r} is none of: {', '.join(choice) or 'none yet'}")
    try:
        return _answer(await asyncio.to_thread(gateway.faces.label, face, said.emotion))
    except NoSuchFace as error:
        raise ApiError(404, "unknown_face", str(error)) from error
    except StoreFull as error:
        raise ApiError(507, "storage_full", str(error)) from error


@router.get("/emotions")
async def emotions(gateway: AskedGateway, _: SourceViewer) -> EmotionsAnswer:
    """The emotions that a saved face may be labelled as."""
    return EmotionsAnswer(emotions=await _choice(gateway))


async def _choice(gateway: Gateway) -> list[str]:
    told = [label for worker in gateway.registry.workers() for label in worker.labels]
    saved = await asyncio.to_thread(gateway.faces.emotions)
    return [emotion for emotion in dict.fromkeys([*told, *saved]) if emotion != UNCERTAIN]


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
        labelled=name.was is not None,
        was=name.was,
        saved=name.saved,
        url=f"/api/v1/faces/{name.emotion}/{name}",
    )
