"""Records of the history, with the names of the events, and their conversion from events to rows and back."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row

from api_gateway.history.tables import SLOT_MS
from contract import events
from contract.judgement import UNCERTAIN, Probabilities
from contract.messages import Box

TrackSlot = tuple[str, str, int, int]
"""Source, epoch, track, and the span of `SLOT_MS`."""
Values = dict[str, Any]
"""By column."""


class ReadingRecord(BaseModel):
    """A recorded reading: at most two a second of each track, with the smoothed answer."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    kind: Literal["reading"] = "reading"
    source: str
    epoch: str
    frame: int
    track: int
    face: int
    captured_ms: int
    """When the frame was taken."""
    emotion: str
    """A label of the model, or `uncertain`."""
    between: tuple[str, ...]
    """The two likeliest labels if it is uncertain, else empty."""
    confidence: float
    """In percent."""
    probabilities: Probabilities
    box: Box
    flaws: tuple[str, ...]
    model: str


class EpisodeRecord(events.Episode):
    """A recorded episode: with the phase `end` it is over, else it runs, with figures of a few seconds ago."""


def slot_of(reading: events.Reading) -> TrackSlot:
    """The track and half second of a reading: unique in the database."""
    return reading.source, reading.epoch, reading.track, reading.captured_ms // SLOT_MS


def reading_values(reading: events.Reading, model_id: int) -> Values:
    """The row of a reading."""
    return {
        "source": reading.source,
        "epoch": reading.epoch,
        "track": reading.track,
        "slot": slot_of(reading)[-1],
        "frame": reading.frame,
        "face": reading.face,
        "captured_ms": reading.captured_ms,
        "emotion": reading.emotion,
        "confidence": reading.confidence,
        "probabilities": list(reading.probabilities.values()),
        "box": list(reading.box),
        "flaws": list(reading.flaws),
        "model_id": model_id,
    }


def reading_record(row: Row[Any]) -> ReadingRecord:
    """The reading of a row of `readings` joined with `models`."""
    probabilities = dict(zip(row.labels.split(","), row.probabilities, strict=True))
    ranked = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
    return ReadingRecord.model_construct(  # it was validated when it was written; a CSV has hundreds of thousands
        kind="reading",
        source=row.source,
        epoch=row.epoch,
        frame=row.frame,
        track=row.track,
        face=row.face,
        captured_ms=row.captured_ms,
        emotion=row.emotion,
        between=tuple(ranked[:2]) if row.emotion == UNCERTAIN else (),
        confidence=row.confidence,
        probabilities=probabilities,
        box=tuple(row.box),
        flaws=tuple(row.flaws),
        model=row.model,
    )


def episode_values(episode: events.Episode) -> Values:
    """The row of an episode."""
    return episode.model_dump(mode="json", exclude={"kind", "duration_ms"})


def episode_record(row: Row[Any]) -> EpisodeRecord:
    """The episode of a row of `episodes`."""
    return EpisodeRecord.model_validate({**row._mapping, "duration_ms": row.end_ms - row.start_ms})
