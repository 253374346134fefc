"""The end of a frame and of a job on the crops stream; workers pass both on to the results unchanged."""

from dataclasses import dataclass
from typing import Self

from contract.messages.face import FrameId
from contract.messages.fields import VERSION, Fields, integer, text, time


@dataclass(frozen=True, slots=True)
class FrameDone:
    """The end of a frame: all its `faces`, maybe none, were sent before.

    Workers pass it on to the results unchanged, so that a reader of results knows when a frame is complete.
    """

    id: FrameId
    captured_ms: int
    faces: int
    width: int
    height: int
    note: str = ""
    """Why an uploaded picture could not be read; otherwise empty."""
    previous: int | None = None
    """The frame of this epoch that was sent before, so that readers know whether one is missing. None: there was none,
    or it is not known."""

    def fields(self) -> dict[bytes, bytes]:
        previous = {} if self.previous is None else {b"previous": b"%d" % self.previous}
        return previous | {
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
    """The end of a job: how much it sent. Workers pass it on to the results as they do `FrameDone`."""

    id: FrameId
    """`frame` is the last frame plus one."""
    crops: int

    def fields(self) -> dict[bytes, bytes]:
        return {b"v": VERSION, b"kind": b"manifest", **self.id.fields(), b"crops": b"%d" % self.crops}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(FrameId.read(fields), integer(fields, b"crops"))
