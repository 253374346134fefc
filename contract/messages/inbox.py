"""The entries of an inbox stream."""

from dataclasses import dataclass
from typing import Self

from contract.errors import MalformedMessage
from contract.keys import SOURCE_NAME
from contract.messages.fields import VERSION, Fields, check_version, field, integer, text, time

LOADING = "loading the face detector"
"""The reason in the status of an online inbox whose pictures wait for it: their deadlines begin when it is ready."""


@dataclass(frozen=True, slots=True)
class InboxPicture:
    """An encoded picture (JPEG, PNG, ...) that was uploaded to the capture service."""

    epoch: str
    frame: int
    """0 for a single picture; the browser's count for a camera."""
    sent_ms: int
    deadline_ms: int
    picture: bytes

    def fields(self) -> dict[bytes, bytes]:
        return {
            b"v": VERSION,
            b"kind": b"picture",
            b"epoch": self.epoch.encode(),
            b"frame": b"%d" % self.frame,
            b"sent_ms": b"%d" % self.sent_ms,
            b"deadline_ms": b"%d" % self.deadline_ms,
            b"picture": self.picture,
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        check_version(fields)
        if field(fields, b"kind") != b"picture":
            raise MalformedMessage("kind: not picture")
        epoch = text(fields, b"epoch")
        if not SOURCE_NAME.fullmatch(epoch):
            raise MalformedMessage("epoch: not 1 to 32 of a-z, 0-9, _ and -")
        return cls(
            epoch,
            integer(fields, b"frame"),
            time(fields, b"sent_ms"),
            time(fields, b"deadline_ms"),
            field(fields, b"picture"),
        )
