"""The entries of a dead stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from contract.errors import MalformedMessage
from contract.messages.face import FrameId
from contract.messages.fields import VERSION, Fields, check_version, field, integer, text

MOST_FIELDS = 32
LONGEST_NAME = 64
LONGEST_VALUE = 256
_LEFT_OUT = {b"pixels", b"picture"}
_WAS = b"was:"


@dataclass(frozen=True, slots=True)
class Dead:
    """An entry of a crops stream that could not be read or classified."""

    entry: str
    """Its id on the crops stream."""
    reason: str
    original: Mapping[bytes, bytes]
    """Its fields without pixels; of a very large entry only as much as shows a person what it was."""

    @property
    def crop_id(self) -> str | None:
        """As `Reading.crop_id`; None if the entry does not state which crop it was."""
        try:
            frame = FrameId.read(self.original)
            return f"{frame.source}:{frame.epoch}:{frame.frame}:{integer(self.original, b'face')}"
        except MalformedMessage:
            return None

    def fields(self) -> dict[bytes, bytes]:
        about = {b"v": VERSION, b"kind": b"dead", b"entry": self.entry.encode(), b"reason": self.reason.encode()}
        kept = [(name, value) for name, value in self.original.items() if name not in _LEFT_OUT][:MOST_FIELDS]
        return about | {_WAS + name[:LONGEST_NAME]: value[:LONGEST_VALUE] for name, value in kept}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """The message of an entry of a dead stream.

        Raises:
            MalformedMessage: it does not follow the contract.
        """
        check_version(fields)
        if field(fields, b"kind") != b"dead":
            raise MalformedMessage("kind: not dead")
        original = {name.removeprefix(_WAS): value for name, value in fields.items() if name.startswith(_WAS)}
        return cls(text(fields, b"entry"), text(fields, b"reason"), original)
