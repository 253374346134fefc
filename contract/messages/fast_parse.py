"""A fast parser of crops and frames, for workers, which read thousands a second.

One pattern checks all fields of an entry at once, where `Crop.read` and `FrameDone.read` check field by field. It
matches numbers only as `fields()` writes them. An entry that it matches is valid, and its bytes are passed on to the
results unchanged. An entry that it does not match may still be valid: `read_crop_entry` decides.
"""

import re
import zlib
from operator import itemgetter
from typing import NamedTuple, Self

from contract.messages.crop import Crop
from contract.messages.fields import VERSION, Fields
from contract.model.normalisation import CROP_BYTES

_FACE = (b"source", b"epoch", b"frame", b"face", b"track", b"box", b"score", b"quality", b"captured_ms")
READING_VALUES = (*_FACE, b"probabilities", b"stored_ms")
"""The fields that differ between the readings of a batch; they share all others."""

_FRAME = (b"source", b"epoch", b"frame", b"captured_ms", b"faces", b"width", b"height")
_MOST_FRAME_FIELDS = len(_FRAME) + 4  # v, kind, note, previous

_NAME = rb"[a-z0-9_-]{1,32}"
_WHOLE = rb"[0-9]{1,18}"
_TIME = rb"[0-9]{1,14}"
_NUMBER = rb"-?[0-9]{1,8}(?:\.[0-9]{1,3})?"
_LENGTH = rb"(?=[0-9.]*[1-9])[0-9]{1,8}(?:\.[0-9]{1,3})?"
_SHARE = rb"(?:0(?:\.[0-9]{1,3})?|1(?:\.0{1,3})?)"
_BOX = b",".join((_NUMBER, _NUMBER, _LENGTH, _LENGTH))
_QUALITY = b",".join((_SHARE, _SHARE, _LENGTH, _SHARE, _SHARE))

# No value can hold the line feed that separates two values, so that no value extends into the next.
CROP = re.compile(
    b"\n".join((_NAME, _NAME, _WHOLE, _WHOLE, _WHOLE, _BOX, _SHARE, _QUALITY, b"(%b)" % _TIME, b"(%b)" % _TIME))
)
FRAME = re.compile(b"\n".join((_NAME, _NAME, _WHOLE, _TIME, _WHOLE, _WHOLE, _WHOLE)))

_face_values = itemgetter(*_FACE)
_crop_values = itemgetter(b"v", b"kind", b"pixels", b"crc32", b"deadline_ms", *_FACE)
_frame_values = itemgetter(b"v", b"kind", b"note", *_FRAME)


class ParsedCrop(NamedTuple):
    """A valid crop: the values that a worker needs, and those that go into its reading.

    A tuple, since a worker makes thousands a second and a frozen dataclass takes several times as long to make.
    """

    values: tuple[bytes, ...]
    """The first of `READING_VALUES`, those of the crop."""
    captured_ms: int
    deadline_ms: int
    pixels: bytes

    @classmethod
    def fast_parse(cls, fields: Fields) -> Self | None:
        """The crop; None if the pattern does not match."""
        try:
            version, kind, pixels, crc32, deadline_ms, *values = _crop_values(fields)
        except KeyError:
            return None
        if version != VERSION or kind != b"crop" or len(pixels) != CROP_BYTES:
            return None
        found = CROP.fullmatch(b"\n".join((*values, deadline_ms)))
        if found is None or crc32 != b"%d" % zlib.crc32(pixels):
            return None
        return cls(tuple(values), int(found[1]), int(found[2]), pixels)

    @classmethod
    def of(cls, crop: Crop) -> Self:
        """The values of a crop that `Crop.read` returned."""
        return cls(_face_values(crop.fields()), crop.captured_ms, crop.deadline_ms, crop.pixels)


def fast_parse_frame(fields: Fields) -> bool:
    """Whether these are exactly the fields of a valid `FrameDone`; False if the pattern does not match."""
    try:
        version, kind, note, *values = _frame_values(fields)
    except KeyError:
        return False
    if version != VERSION or kind != b"frame" or note:
        return False
    previous = fields.get(b"previous")
    if len(fields) != _MOST_FRAME_FIELDS - (previous is None) or not (previous is None or _whole(previous)):
        return False
    return FRAME.fullmatch(b"\n".join(values)) is not None


def _whole(value: bytes) -> bool:
    return value.isdigit() and len(value) <= 18
