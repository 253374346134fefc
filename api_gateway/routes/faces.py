"""`/api/v1/faces`: the saved faces, and `/api/v1/emotions`: the labels that they may have."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.faces.errors import UnknownEmotion
from api_gateway.faces.filename import FaceName
from api_gateway.faces.store import FaceStore, saved_name
from api_gateway.routes.dependencies import FaceStoreDep, RegistryDep
from api_gateway.routes.openapi import Responses, binary_response, error_example
from api_gateway.security.access import Operator, SourceViewer, Viewer
from api_gateway.sources.registry import Registry
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
PICTURE: Responses = {200: binary_response("The picture of the face.", "image/jpeg")}
CANNOT_LABEL: Responses = {
    422: error_example("No such emotion.", "unknown_emotion", "'joy' is none of: angry, happy, sad"),
    507: error_example(
        "The disk is full.", "storage_full", "no face can be moved in saved_faces: No space left on device"
    ),
}


class SavedFace(BaseModel):
    """A saved face."""

    model_config = {"json_schema_extra": {"example": FACE_EXAMPLE}}

    name: str
    emotion: str
    confidence: float
    """The model's, in percent."""
    labelled: bool
    """Whether a person has labelled the face with this emotion."""
    was: str | None
    """The emotion from the model, if a person has labelled the face."""
    saved: datetime
    url: str


class EmotionsResponse(BaseModel):
    """The emotions with which a saved face may be labelled."""

    model_config = {"json_schema_extra": {"example": {"emotions": ["angry", "happy", "sad"]}}}

    emotions: list[str]
    """The labels of the running models, in their order, then those of saved faces."""


class Label(BaseModel):
    """A person's label for a face."""

    model_config = {"extra": "forbid", "json_schema_extra": {"example": {"emotion": "sad"}}}

    emotion: str
    """One of `/api/v1/emotions`."""


class FacesResponse(BaseModel):
    """One page of saved faces, the newest first."""

    model_config = {"json_schema_extra": {"example": {"faces": [FACE_EXAMPLE], "total": 1, "next": None}}}

    faces: list[SavedFace]
    total: int
    """Number of faces with this emotion, or of all."""
    next: str | None
    """The value of `before` for the next page; None at the end."""


@router.get("/faces")
async def list_faces(
    faces: FaceStoreDep,
    _: Viewer,
    emotion: Annotated[str | None, Query(max_length=32, examples=["happy"])] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=160, description="`next` of the page before.")] = None,
) -> FacesResponse:
    """List saved faces, the newest first."""
    last = None if before is None else saved_name(before)
    found, total = await asyncio.to_thread(faces.newest, emotion, limit + 1, last)
    page = found[:limit]
    return FacesResponse(
        faces=[_saved_face(name) for name in page], total=total, next=str(page[-1]) if len(found) > limit else None
    )


@router.get("/faces/{emotion}/{name}", response_class=Response, responses=PICTURE)
async def face(emotion: EmotionPart, name: NamePart, faces: FaceStoreDep, _: Viewer) -> Response:
    """A saved face as JPEG."""
    jpeg = await asyncio.to_thread(faces.read, saved_name(name, emotion))
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


@router.delete("/faces/{emotion}/{name}", status_code=204)
async def delete(emotion: EmotionPart, name: NamePart, faces: FaceStoreDep, _: Operator) -> None:
    """Delete a saved face."""
    await asyncio.to_thread(faces.delete, saved_name(name, emotion))


@router.patch("/faces/{emotion}/{name}", responses=CANNOT_LABEL)
async def label(
    emotion: EmotionPart, name: NamePart, label: Label, faces: FaceStoreDep, registry: RegistryDep, _: Operator
) -> SavedFace:
    """Label a saved face with its emotion; returns the face under its new name, which contains the label."""
    face = saved_name(name, emotion)
    if label.emotion not in (choice := await _emotions(registry, faces)):
        raise UnknownEmotion(f"{label.emotion[:40]!r} is none of: {', '.join(choice) or 'none yet'}")
    return _saved_face(await asyncio.to_thread(faces.label, face, label.emotion))


@router.get("/emotions")
async def emotions(registry: RegistryDep, faces: FaceStoreDep, _: SourceViewer) -> EmotionsResponse:
    """The emotions with which a saved face may be labelled."""
    return EmotionsResponse(emotions=await _emotions(registry, faces))


async def _emotions(registry: Registry, faces: FaceStore) -> list[str]:
    of_models = [label for worker in registry.workers() for label in worker.labels]
    of_faces = await asyncio.to_thread(faces.emotions)
    return [emotion for emotion in dict.fromkeys([*of_models, *of_faces]) if emotion != UNCERTAIN]


def _saved_face(name: FaceName) -> SavedFace:
    return SavedFace(
        name=str(name),
        emotion=name.emotion,
        confidence=name.confidence,
        labelled=name.was is not None,
        was=name.was,
        saved=name.saved,
        url=f"/api/v1/faces/{name.emotion}/{name}",
    )
