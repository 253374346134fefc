"""`/api/v1/predict`: the emotions of every face in one picture."""

import time
from dataclasses import asdict

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api_gateway.routes.dependencies import ArrivingPicturesDep, PredictionsDep
from api_gateway.routes.openapi import Responses, error_example, file_body
from api_gateway.security.access import Viewer
from contract.judgement import judge
from contract.messages import Reading

router = APIRouter(prefix="/api/v1", tags=["pictures"])
ERRORS: Responses = {
    413: error_example(
        "The picture is too large.", "too_large", "a picture may have 10000000 bytes (EMOTII_UPLOAD_LIMIT)"
    ),
    422: error_example(
        "No picture (`unreadable_picture`), or the model fails on one of its faces (`unclassifiable_face`); "
        "another attempt has the same result.",
        "unclassifiable_face",
        "a face of the picture cannot be classified: the engine failed on it",
    ),
    503: error_example(
        "Unavailable now: Redis (`redis_unavailable`), a capture (`no_capture`) or a worker (`no_worker`) is missing, "
        "or too many pictures are pending (`busy`).",
        "busy",
        "too many pictures are waiting; try again soon",
    ),
    504: error_example("It took longer than EMOTII_PREDICT_TIMEOUT.", "timeout", "no result within 10 s"),
}


class FaceResponse(BaseModel):
    """One face of a picture."""

    box: tuple[float, float, float, float]
    """Left, top, width, height in pixels."""
    score: float
    """Score of the detector, 0 to 1."""
    emotion: str
    """A label of the model, or "uncertain"."""
    between: list[str]
    """The two likeliest labels if it is uncertain; else empty."""
    confidence: float
    """In percent; of the likeliest emotion if it is uncertain."""
    probabilities: dict[str, float]
    quality: dict[str, float]
    flaws: list[str]
    """What makes the result unreliable, such as "too dark"; empty if nothing does."""


class PredictResponse(BaseModel):
    """Every face of a picture; an empty list if there is none."""

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

    faces: list[FaceResponse]
    width: int
    height: int
    model: str | None
    """None if there is no face."""
    took_ms: int


@router.post("/predict", openapi_extra=file_body("picture", "image/jpeg", "image/png"), responses=ERRORS)
async def predict(
    request: Request, predictions: PredictionsDep, arriving: ArrivingPicturesDep, _: Viewer
) -> PredictResponse:
    """Analyse one picture: form field `picture`, or the picture as the body with a content type `image/...`."""
    started = time.monotonic()
    picture = await arriving.read(request)
    frame, readings = await predictions.predict(picture)
    return PredictResponse(
        faces=[_face(reading) for reading in readings],
        width=frame.width,
        height=frame.height,
        model=readings[0].model if readings else None,
        took_ms=round((time.monotonic() - started) * 1000),
    )


def _face(reading: Reading) -> FaceResponse:
    probabilities = dict(zip(reading.labels, reading.probabilities, strict=True))
    judgement = judge(probabilities, reading.thresholds)
    return FaceResponse(
        box=reading.face.box,
        score=reading.face.score,
        emotion=judgement.emotion,
        between=list(judgement.between),
        confidence=judgement.confidence,
        probabilities={label: round(probability, 4) for label, probability in probabilities.items()},
        quality=asdict(reading.face.quality),
        flaws=list(reading.face.quality.flaws),
    )
