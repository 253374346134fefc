"""`/emotion` and `/save_current`: the interface of the first Emotii, kept for its clients."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api_gateway.errors import ApiError
from api_gateway.faces.store import StoreFull
from api_gateway.routes.dependencies import AskedGateway, SourceName
from api_gateway.security.access import Operator

router = APIRouter(tags=["live"])


class EmotionAnswer(BaseModel):
    """The smoothed emotion of the most prominent face."""

    model_config = {"json_schema_extra": {"example": {"emotion": "happy", "confidence": 97.3}}}

    emotion: str | None
    """"uncertain": the model does not know. None: no face was seen within the last 2 s."""
    confidence: float
    """In percent; of the likeliest emotion if it is uncertain."""


class SavedAnswer(BaseModel):
    """The faces that were saved."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "status": "success",
                "message": "saved happy/happy_97.3_20260131_235959_000001.jpg",
                "saved": ["happy/happy_97.3_20260131_235959_000001.jpg"],
            }
        }
    }

    status: Literal["success"] = "success"
    message: str
    saved: list[str]
    """Paths below the folder of saved faces."""


@router.get("/emotion")
async def emotion(gateway: AskedGateway, source: SourceName) -> EmotionAnswer:
    """The emotion of the most prominent face now."""
    chosen = gateway.registry.chosen(source)
    tracks = gateway.active_tracks.of(chosen, gateway.clock.now_ms()) if chosen else []
    if not tracks:
        return EmotionAnswer(emotion=None, confidence=0.0)
    judgement = tracks[0].judgement
    return EmotionAnswer(emotion=judgement.emotion, confidence=judgement.confidence)


@router.post("/save_current")
@router.get("/save_current", include_in_schema=False)
async def save_current(gateway: AskedGateway, source: SourceName, _: Operator) -> SavedAnswer:
    """Save the most prominent face now (404: there is none; 507: the disk is full). GET works too, for old clients."""
    chosen = gateway.registry.chosen(source)
    if chosen is None:
        raise ApiError(404, "no_face", "there is no source yet")
    try:
        # Shielded: a client that hangs up must not leave half of it done.
        name = await asyncio.shield(asyncio.ensure_future(gateway.saver.save_now(chosen)))
    except StoreFull as error:
        raise ApiError(507, "storage_full", str(error)) from error
    path = f"{name.emotion}/{name}"
    return SavedAnswer(message=f"saved {path}", saved=[path])
