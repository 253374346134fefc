"""The messages of a frames channel."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from contract.errors import MalformedMessage
from contract.messages.face import Box
from contract.messages.values import Count, Moment, SourceName

LONGEST_HEADER = 256 * 1024


class FrameHeader(BaseModel):
    """The header of a frame on the frames channel: one line of JSON, a newline, then the JPEG or nothing."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    source: SourceName
    epoch: SourceName
    frame: Count
    captured_ms: Moment
    width: Count
    height: Count
    faces: tuple["FrameFace", ...]

    def encode(self, jpeg: bytes = b"") -> bytes:
        return self.model_dump_json().encode() + b"\n" + jpeg

    @classmethod
    def decode(cls, payload: bytes) -> tuple[Self, bytes]:
        """The header and the JPEG (empty if the channel had no subscribers when it was published).

        Raises:
            MalformedMessage: the first line is not a header.
        """
        line, _, jpeg = payload.partition(b"\n")
        if len(line) > LONGEST_HEADER:
            raise MalformedMessage(f"frames channel: a header longer than {LONGEST_HEADER} bytes")
        try:
            return cls.model_validate_json(line), jpeg
        except ValueError as error:
            raise MalformedMessage(f"frames channel: {error}") from error


class FrameFace(BaseModel):
    """One face of a frame on the frames channel."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    index: Count
    track: Count
    box: Box
    score: float
