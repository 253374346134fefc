"""The entries of a results stream."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from contract.errors import MalformedMessage
from contract.messages.face import Face, FrameId
from contract.messages.fields import VERSION, Fields, check_version, field, text, time
from contract.messages.frame import FrameDone, Manifest


@dataclass(frozen=True, slots=True)
class Reading:
    """The outcome of one crop: the model's probabilities, or none if it was stale."""

    id: FrameId
    face: Face
    captured_ms: int
    model: str
    """`name@version`."""
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    """One a label, in their order, with sum 1; empty for a stale crop."""
    worker: str
    read_ms: int
    """When the worker took the crop, in Redis's time."""
    done_ms: int
    """When it committed the outcome."""

    @property
    def stale(self) -> bool:
        """Whether the crop was past its deadline, so that it was not classified."""
        return not self.probabilities

    @property
    def crop_id(self) -> str:
        """One word for the crop. It stays the same when a job submits the crop again, so readers drop repeats by it."""
        return f"{self.id.source}:{self.id.epoch}:{self.id.frame}:{self.face.index}"

    def fields(self) -> dict[bytes, bytes]:
        return {
            b"v": VERSION,
            b"kind": b"reading",
            **self.id.fields(),
            **self.face.fields(),
            b"captured_ms": b"%d" % self.captured_ms,
            b"model": self.model.encode(),
            b"labels": ",".join(self.labels).encode(),
            b"probabilities": np.asarray(self.probabilities, "<f4").tobytes(),
            b"worker": self.worker.encode(),
            b"read_ms": b"%d" % self.read_ms,
            b"done_ms": b"%d" % self.done_ms,
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        raw = field(fields, b"probabilities")
        labels = tuple(text(fields, b"labels").split(","))
        if len(raw) not in {0, 4 * len(labels)}:
            raise MalformedMessage("probabilities: not one float32 a label")
        probabilities = np.frombuffer(raw, "<f4")
        if not np.isfinite(probabilities).all():
            raise MalformedMessage("probabilities: not finite")
        return cls(
            FrameId.read(fields),
            Face.read(fields),
            time(fields, b"captured_ms"),
            text(fields, b"model"),
            labels,
            tuple(probabilities.tolist()),
            text(fields, b"worker"),
            time(fields, b"read_ms"),
            time(fields, b"done_ms"),
        )


Outcome = Reading | FrameDone | Manifest


def read_outcome(fields: Fields) -> Outcome:
    """What an entry of a results stream says.

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
