"""`/emotion` and `/save_current`: the interface of the first Emotii, kept for its clients."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api_gateway.faces.errors import NoFace
from api_gateway.routes.dependencies import ActiveTracksDep, ClockDep, FaceSaverDep, QuerySource, RegistryDep
from api_gateway.security.access import Operator

router = APIRouter(tags=["live"])


class EmotionResponse(BaseModel):
    """The smoothed emotion of the most prominent face."""

    model_config = {"json_schema_extra": {"example": {"emotion": "happy", "confidence": 97.3}}}

    emotion: str | None
    """"uncertain": no emotion is likely enough. None: no face was seen within the last 2 s."""
    confidence: float
    """In percent; of the likeliest emotion if it is uncertain."""


class SavedResponse(BaseModel):
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
async def emotion(
    source: QuerySource, registry: RegistryDep, active_tracks: ActiveTracksDep, clock: ClockDep
) -> EmotionResponse:
    """The emotion of the most prominent face now."""
    chosen = registry.chosen(source)
    tracks = active_tracks.of(chosen, clock.now_ms()) if chosen else []
    if not tracks:
        return EmotionResponse(emotion=None, confidence=0.0)
    judgement = tracks[0].judgement
    return EmotionResponse(emotion=judgement.emotion, confidence=judgement.confidence)


@router.post("/save_current")
@router.get("/save_current", include_in_schema=False)
async def save_current(source: QuerySource, registry: RegistryDep, saver: FaceSaverDep, _: Operator) -> SavedResponse:
    """Save the most prominent face now (404: no face is visible; 507: the disk is full). Old clients may use GET."""
    chosen = registry.chosen(source)
    if chosen is None:
        raise NoFace("there is no source yet")
    # Shielded: a client that disconnects must not leave a face half saved.
    name = await asyncio.shield(asyncio.ensure_future(saver.save_now(chosen)))
    path = f"{name.emotion}/{name}"
    return SavedResponse(message=f"saved {path}", saved=[path])
