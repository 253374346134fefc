"""The entries of a results stream."""

import math
import re
import struct
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Self

from contract.errors import MalformedMessage
from contract.judgement import Thresholds
from contract.messages.face import Face, FrameId
from contract.messages.fields import VERSION, Fields, check_version, field, numbers, text, time
from contract.messages.frame import FrameDone, Manifest
from contract.messages.values import MODEL_ID_PATTERN
from contract.model.labels import LABEL_PATTERN, MOST_LABELS

_ROUNDING = 1e-3
"""By which the sum of probabilities and so one of them may be above 1."""
_MODEL_ID, _LABEL = re.compile(MODEL_ID_PATTERN), re.compile(LABEL_PATTERN)


@dataclass(frozen=True, slots=True)
class Reading:
    """The outcome of one crop: the model's probabilities, or none if the crop was stale."""

    id: FrameId
    face: Face
    captured_ms: int
    model: str
    """`name@version`."""
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    """One for each label, in their order, with sum 1; empty for a stale crop."""
    worker: str
    read_ms: int
    """When the worker read the crop, in Redis's time."""
    done_ms: int
    """When it committed the outcome."""
    thresholds: Thresholds | None = None
    """Of the model, since readers may not have it. None: it has none, or the worker is of an older release."""
    stored_ms: int | None = None
    """When the capture stored the crop, by the id of its entry. None: the worker is of an older release."""

    @property
    def stale(self) -> bool:
        """Whether the crop was past its deadline, so that it was not classified."""
        return not self.probabilities

    @property
    def crop_id(self) -> str:
        """Identifies the crop. It is the same when a job sends the crop again, so readers drop duplicates by it."""
        return f"{self.id.source}:{self.id.epoch}:{self.id.frame}:{self.face.index}"

    def fields(self) -> dict[bytes, bytes]:
        common = shared_fields(self.model, self.labels, self.worker, self.read_ms, self.done_ms, self.thresholds)
        return common | {
            **self.id.fields(),
            **self.face.fields(),
            b"captured_ms": b"%d" % self.captured_ms,
            b"probabilities": _float32(len(self.probabilities)).pack(*self.probabilities),
            **({} if self.stored_ms is None else {b"stored_ms": b"%d" % self.stored_ms}),
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        raw = field(fields, b"probabilities")
        labels = _labels(text(fields, b"labels"))
        if len(raw) not in {0, 4 * len(labels)}:
            raise MalformedMessage("probabilities: not one float32 a label")
        probabilities = _float32(len(raw) // 4).unpack(raw)
        if not all(map(math.isfinite, probabilities)):
            raise MalformedMessage("probabilities: not finite")
        if not all(-_ROUNDING <= probability <= 1 + _ROUNDING for probability in probabilities):
            raise MalformedMessage("probabilities: not between 0 and 1")
        return cls(
            FrameId.read(fields),
            Face.read(fields),
            time(fields, b"captured_ms"),
            _model(text(fields, b"model")),
            labels,
            probabilities,
            text(fields, b"worker"),
            time(fields, b"read_ms"),
            time(fields, b"done_ms"),
            _read_thresholds(fields),
            time(fields, b"stored_ms") if b"stored_ms" in fields else None,
        )


def shared_fields(
    model: str, labels: tuple[str, ...], worker: str, read_ms: int, done_ms: int, thresholds: Thresholds | None
) -> dict[bytes, bytes]:
    """The encoded fields of `Reading` that are the same in all readings of a batch."""
    fields = {
        b"v": VERSION,
        b"kind": b"reading",
        b"model": model.encode(),
        b"labels": ",".join(labels).encode(),
        b"worker": worker.encode(),
        b"read_ms": b"%d" % read_ms,
        b"done_ms": b"%d" % done_ms,
    }
    if thresholds is not None:
        values = thresholds.min_probability, thresholds.min_margin, thresholds.precision
        fields[b"thresholds"] = b"%.4f,%.4f,%.4f" % values
    return fields


@lru_cache(64)  # all readings of a model have the same
def _labels(joined: str) -> tuple[str, ...]:
    labels = tuple(joined.split(","))
    if len(labels) > MOST_LABELS or not all(map(_LABEL.fullmatch, labels)):
        raise MalformedMessage(f"labels: not 1 to {MOST_LABELS} emotions of a-z, 0-9, _ and -")
    return labels


@lru_cache(64)
def _model(model: str) -> str:
    if not _MODEL_ID.fullmatch(model):
        raise MalformedMessage("model: not name@version")
    return model


@cache
def _float32(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}f")


def _read_thresholds(fields: Fields) -> Thresholds | None:
    if b"thresholds" not in fields:
        return None
    min_probability, min_margin, precision = numbers(fields, b"thresholds", 3)
    try:
        return Thresholds(min_probability=min_probability, min_margin=min_margin, precision=precision)
    except ValueError:
        raise MalformedMessage("thresholds: not three shares of 0 to 1") from None


Outcome = Reading | FrameDone | Manifest


def read_outcome(fields: Fields) -> Outcome:
    """The message of an entry of a results stream.

    Raises:
        MalformedMessage: it does not follow the contract.
    """
    check_version(fields)
    match field(fields, b"kind"):
        case b"reading":
            return Reading.read(fields)
        case b"frame":
            return FrameDone.read(fields)
        case b"manifest":
            return Manifest.read(fields)
    raise MalformedMessage("kind: not reading, frame or manifest")
