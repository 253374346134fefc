"""The events that go over `/ws/emotions`, and the hello that comes first."""

from collections.abc import Iterable
from dataclasses import asdict

from api_gateway.hub import Event
from api_gateway.smoothing import Probabilities
from contract.judgement import judge
from contract.messages import Reading, SourceStatus

PROTOCOL_VERSION = 1


def hello(sources: Iterable[SourceStatus], stats: Event) -> Event:
    """The first message: protocol version, the sources, and how things stand."""
    return {
        "type": "hello",
        "v": PROTOCOL_VERSION,
        "sources": [state(source) for source in sources],
        "stats": stats,
    }


def reading(one: Reading, smoothed: Probabilities | None, age_ms: int | None) -> Event:
    """What the network said of one face in one frame.

    Args:
        one: the reading; a stale one (past its deadline, not classified) has no probabilities.
        smoothed: of its track, told as `probabilities`; None if the reading is stale or came behind a later one.
        age_ms: since the frame was taken; None for a recording.
    """
    raw = {} if one.stale else dict(zip(one.labels, one.probabilities, strict=True))
    probabilities = smoothed or raw
    judgement = judge(probabilities, one.thresholds) if probabilities else None
    return {
        "kind": "reading",
        "source": one.id.source,
        "epoch": one.id.epoch,
        "frame": one.id.frame,
        "track": one.face.track,
        "face": one.face.index,
        "captured_ms": one.captured_ms,
        "age_ms": age_ms,
        "stale": one.stale,
        "box": [round(number, 1) for number in one.face.box],
        "quality": asdict(one.face.quality),
        "flaws": one.face.quality.flaws,
        "emotion": judgement.emotion if judgement else None,
        "between": judgement.between if judgement else (),
        "confidence": judgement.confidence if judgement else 0.0,
        "probabilities": _rounded(probabilities),
        "raw": _rounded(raw),
        "model": one.model,
    }


def state(source: SourceStatus) -> Event:
    """How a source is now."""
    return {
        "kind": "state",
        "source": source.name,
        "source_kind": source.kind,
        "state": source.state,
        "reason": source.reason,
        "since_ms": source.since_ms,
        "width": source.width,
        "height": source.height,
    }


def gone(source: str) -> Event:
    """A source is no more."""
    return {"kind": "gone", "source": source}


def _rounded(probabilities: Probabilities) -> Probabilities:
    return {emotion: round(probability, 4) for emotion, probability in probabilities.items()}
