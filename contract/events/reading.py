"""The reading of one face in one frame, as clients receive it."""

from typing import Literal, Self

from contract import messages
from contract.events.event import Event
from contract.judgement import Judgement, Probabilities, judge
from contract.messages import Box, Quality


class Answer(Event):
    """The emotion that probabilities support."""

    emotion: str | None
    """A label of the model, `uncertain`, or null where there are no probabilities."""
    between: tuple[str, ...] = ()
    """The two likeliest labels if it is uncertain, the likelier first; else none."""
    confidence: float
    """In percent: the probability of the emotion; of the likeliest one if it is uncertain."""
    probabilities: Probabilities
    """By label; they sum to 1. Empty for a stale reading."""

    @classmethod
    def of(cls, probabilities: Probabilities, judgement: Judgement | None) -> Self:
        """The answer; without a judgement (there are no probabilities) it has no emotion."""
        return cls(
            emotion=judgement.emotion if judgement else None,
            between=judgement.between if judgement else (),
            confidence=judgement.confidence if judgement else 0.0,
            probabilities={label: round(probability, 4) for label, probability in probabilities.items()},
        )


class Stages(Event):
    """The parts of the latency of a live reading; the three add up to it."""

    detect_ms: int
    """From the frame to the crop in Redis."""
    infer_ms: int
    """From there to the result in Redis."""
    deliver_ms: int
    """From there until this gateway sent it to its clients."""

    @classmethod
    def of(cls, one: messages.Reading, result_ms: int, now_ms: int) -> Self | None:
        """The stages of a live reading; None if it is stale, or was read by a worker of an older release.

        Args:
            one: the reading.
            result_ms: when it was stored, by the id of its entry.
            now_ms: Redis's time.
        """
        if one.stale or one.stored_ms is None:
            return None
        # After Redis's clock was set back, the ids of new crops go on from the later time.
        stored_ms = min(one.stored_ms, result_ms)
        return cls(
            detect_ms=max(0, stored_ms - one.captured_ms),
            infer_ms=max(0, result_ms - stored_ms),
            deliver_ms=max(0, now_ms - result_ms),
        )


class Reading(Answer):
    """The prediction for one face in one frame; the answer is the smoothed one of its track."""

    kind: Literal["reading"] = "reading"
    source: str
    epoch: str
    """Changes whenever the source is opened again; (source, epoch, frame, face) never repeats."""
    frame: int
    track: int
    face: int
    """Its place among the faces of the frame."""
    captured_ms: int
    """When the frame was taken, in Redis's time; for a recording the time in it."""
    age_ms: int | None
    """From then until now; null for a recording."""
    stages: Stages | None
    """Null for a recording, for a stale reading, and where the crop's time is not known."""
    stale: bool
    """Too old to be classified, so without probabilities."""
    box: Box
    """Left, top, width and height in pixels of the frame."""
    quality: Quality
    """Brightness, sharpness, turn and inside in 0 to 1; size in pixels."""
    flaws: tuple[str, ...]
    """Why the face can hardly be judged, in words; often none."""
    raw: Answer
    """Of this frame alone."""
    model: str
    """`name@version`."""

    @classmethod
    def from_message(
        cls, one: messages.Reading, smoothed: Answer | None, age_ms: int | None, stages: Stages | None
    ) -> Self:
        """The event.

        Args:
            one: the reading.
            smoothed: the answer of its track; None for that of the frame alone (it is stale, or came late).
            age_ms: since the frame was taken; None for a recording.
            stages: of that age; None where they are not known.
        """
        alone = dict(zip(one.labels, one.probabilities, strict=True)) if one.probabilities else {}
        raw = Answer.of(alone, judge(alone, one.thresholds) if alone else None)
        left, top, width, height = (round(number, 1) for number in one.face.box)
        return cls(
            source=one.id.source,
            epoch=one.id.epoch,
            frame=one.id.frame,
            track=one.face.track,
            face=one.face.index,
            captured_ms=one.captured_ms,
            age_ms=age_ms,
            stages=stages,
            stale=one.stale,
            box=(left, top, width, height),
            quality=one.face.quality,
            flaws=one.face.quality.flaws,
            **dict(smoothed or raw),
            raw=raw,
            model=one.model,
        )
