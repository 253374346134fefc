"""What stands on the crops stream behind the crops, and passes through the workers to the results unchanged."""

from dataclasses import dataclass
from typing import Self

from contract.messages.face import FrameId
from contract.messages.fields import VERSION, Fields, integer, text, time


@dataclass(frozen=True, slots=True)
class FrameDone:
    """All faces of this frame were sent before this: there were `faces` of them, maybe none.

    It passes through the workers to the results unchanged, so that a reader of results knows when a frame is complete.
    """

    id: FrameId
    captured_ms: int
    faces: int
    width: int
    height: int
    note: str = ""
    """Why a picture that was handed in has no faces because it could not be read; else empty."""
    previous: int | None = None
    """The frame of this epoch that was sent before, so that readers know whether one is still to come. None: there was
    none, or nobody says."""

    def fields(self) -> dict[bytes, bytes]:
        told = {} if self.previous is None else {b"previous": b"%d" % self.previous}
        return told | {
            b"v": VERSION,
            b"kind": b"frame",
            **self.id.fields(),
            b"captured_ms": b"%d" % self.captured_ms,
            b"faces": b"%d" % self.faces,
            b"width": b"%d" % self.width,
            b"height": b"%d" % self.height,
            b"note": self.note.encode(),
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            FrameId.read(fields),
            time(fields, b"captured_ms"),
            integer(fields, b"faces"),
            integer(fields, b"width"),
            integer(fields, b"height"),
            text(fields, b"note"),
            integer(fields, b"previous") if b"previous" in fields else None,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """The end of a job: what it sent. It passes through to the results as `FrameDone` does."""

    id: FrameId
    """`frame` is one behind the last."""
    crops: int

    def fields(self) -> dict[bytes, bytes]:
        return {b"v": VERSION, b"kind": b"manifest", **self.id.fields(), b"crops": b"%d" % self.crops}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(FrameId.read(fields), integer(fields, b"crops"))
