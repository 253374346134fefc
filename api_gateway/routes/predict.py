"""`/api/v1/predict`: one picture in, every face in it out."""

import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api_gateway.errors import ApiError, refusal
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.routes.openapi_form import OVERHEAD, body
from api_gateway.security.access import Viewer
from contract.judgement import judge
from contract.messages import Reading

router = APIRouter(prefix="/api/v1", tags=["pictures"])
REFUSALS: dict[int | str, dict[str, Any]] = {
    413: refusal("The picture is too large.", "too_large", "a picture may have 10000000 bytes (EMOTII_UPLOAD_LIMIT)"),
    422: refusal(
        "No picture (`unreadable_picture`), or the model fails on one of its faces (`unclassifiable_face`); "
        "sending it again does not help.",
        "unclassifiable_face",
        "a face of the picture cannot be classified: the engine failed on it",
    ),
    503: refusal(
        "Not now: Redis (`redis_unavailable`), a capture (`no_capture`) or a worker (`no_worker`) is missing, or too "
        "many pictures are under way (`busy`).",
        "busy",
        "too many pictures are waiting; try again soon",
    ),
    504: refusal("It took longer than EMOTII_PREDICT_TIMEOUT.", "timeout", "no result within 10 s"),
}


class FaceAnswer(BaseModel):
    """One face of a picture."""

    box: tuple[float, float, float, float]
    """Left, top, width, height in pixels."""
    score: float
    """The detector's, 0 to 1."""
    emotion: str
    """A label of the model, or "uncertain"."""
    between: list[str]
    """The two likeliest labels if it is uncertain; else empty."""
    confidence: float
    """In percent; of the likeliest emotion if it is uncertain."""
    probabilities: dict[str, float]
    quality: dict[str, float]
    flaws: list[str]
    """Why the face can hardly be judged, such as "too dark"; empty if it can."""


class PredictAnswer(BaseModel):
    """Every face of a picture; also when there is none."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "faces": [
                    {
                        "box": [120.0, 80.5, 64.0, 70.0],
                        "score": 0.93,
                        "emotion": "happy",
                        "between": [],
                        "confidence": 97.3,
                        "probabilities": {"angry": 0.004, "fear": 0.003, "happy": 0.973, "sad": 0.01, "surprise": 0.01},
                        "quality": {"brightness": 0.5, "sharpness": 0.8, "size": 70.0, "turn": 0.1, "inside": 1.0},
                        "flaws": [],
                    }
                ],
                "width": 640,
                "height": 480,
                "model": "emotii-5@1.3.0",
                "took_ms": 38,
            }
        }
    }

    faces: list[FaceAnswer]
    width: int
    height: int
    model: str | None
    """None if there is no face."""
    took_ms: int


@router.post("/predict", openapi_extra=body("picture", "image/jpeg", "image/png"), responses=REFUSALS)
async def predict(request: Request, gateway: AskedGateway, _: Viewer) -> PredictAnswer:
    """Look at one picture: form field `picture`, or the picture itself as body with a content type `image/...`."""
    started = time.monotonic()
    picture = await _picture(request, gateway.settings.upload_limit)
    frame, readings = await gateway.predictions.predict(picture)
    return PredictAnswer(
        faces=[_face(reading) for reading in readings],
        width=frame.width,
        height=frame.height,
        model=readings[0].model if readings else None,
        took_ms=round((time.monotonic() - started) * 1000),
    )


def _face(reading: Reading) -> FaceAnswer:
    probabilities = dict(zip(reading.labels, reading.probabilities, strict=True))
    judgement = judge(probabilities, reading.thresholds)
    return FaceAnswer(
        box=reading.face.box,
        score=reading.face.score,
        emotion=judgement.emotion,
        between=list(judgement.between),
        confidence=judgement.confidence,
        probabilities={label: round(probability, 4) for label, probability in probabilities.items()},
        quality=asdict(reading.face.quality),
        flaws=list(reading.face.quality.flaws),
    )


async def _picture(request: Request, limit: int) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        picture = await _form_picture(request, limit)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        picture = b"".join([chunk async for chunk in _limited(request, limit)])
    else:
        raise ApiError(
            415, "unsupported_media_type", "send the picture as form field `picture` or as a body `image/...`"
        )
    if len(picture) > limit:
        raise _too_large(limit)
    if not picture:
        raise ApiError(422, "unreadable_picture", "the picture has no bytes")
    return picture


async def _form_picture(request: Request, limit: int) -> bytes:
    parser = MultiPartParser(request.headers, _limited(request, limit, OVERHEAD), max_files=1, max_fields=8)
    parser.spool_max_size = limit + OVERHEAD  # in memory: a face is never written to a disk by the way
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ApiError(400, "bad_request", error.message) from error
    try:
        picture = form.get("picture")
        if not isinstance(picture, UploadFile):
            raise ApiError(422, "invalid_request", "the form has no file `picture`")
        return await picture.read()
    finally:
        await form.close()


async def _limited(request: Request, limit: int, overhead: int = 0) -> AsyncGenerator[bytes, None]:
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit + overhead:
        raise _too_large(limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + overhead:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> ApiError:
    return ApiError(413, "too_large", f"a picture may have {limit} bytes (EMOTII_UPLOAD_LIMIT)")
