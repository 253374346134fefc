"""The entries of a crops stream."""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from contract.errors import MalformedMessage
from contract.messages.face import Face, FrameId
from contract.messages.fields import VERSION, Fields, check_version, field, integer, time
from contract.messages.frame import FrameDone, Manifest
from contract.model.normalisation import CROP_BYTES, CROP_SIZE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Crop:
    """The 48 x 48 gray pixels of one face in one frame, as the network gets them."""

    id: FrameId
    face: Face
    captured_ms: int
    """When the frame was captured, in Redis's time. For a job: the frame's time in the recording."""
    deadline_ms: int
    """After this time (Redis's) the crop is stale and is not classified; 0: no deadline."""
    pixels: bytes

    def fields(self) -> dict[bytes, bytes]:
        return {
            b"v": VERSION,
            b"kind": b"crop",
            **self.id.fields(),
            **self.face.fields(),
            b"captured_ms": b"%d" % self.captured_ms,
            b"deadline_ms": b"%d" % self.deadline_ms,
            b"pixels": self.pixels,
            b"crc32": b"%d" % zlib.crc32(self.pixels),
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        pixels = field(fields, b"pixels")
        if len(pixels) != CROP_BYTES:
            raise MalformedMessage(f"pixels: {len(pixels)} bytes, not {CROP_BYTES}")
        if zlib.crc32(pixels) != integer(fields, b"crc32"):
            raise MalformedMessage("pixels: the crc32 is another")
        return cls(
            FrameId.read(fields),
            Face.read(fields),
            time(fields, b"captured_ms"),
            time(fields, b"deadline_ms"),
            pixels,
        )

    def array(self) -> "NDArray[np.uint8]":
        """The pixels as (48, 48) uint8, read-only."""
        import numpy as np  # only here: it is large, and most readers of messages need no pixels

        return np.frombuffer(self.pixels, np.uint8).reshape(CROP_SIZE, CROP_SIZE)


CropEntry = Crop | FrameDone | Manifest


def read_crop_entry(fields: Fields) -> CropEntry:
    """The message of an entry of a crops stream.

    Raises:
        MalformedMessage: it does not follow the contract.
    """
    check_version(fields)
    match field(fields, b"kind"):
        case b"crop":
            return Crop.read(fields)
        case b"frame":
            return FrameDone.read(fields)
        case b"manifest":
            return Manifest.read(fields)
    raise MalformedMessage("kind: not crop, frame or manifest")
