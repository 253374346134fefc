"""Crops and frames as every capture writes them, recognised at a glance: for workers, who read thousands a second.

One pattern says of all fields of an entry at once what `Crop.read` and `FrameDone.read` find out field by field. It
knows numbers only as `fields()` writes them. What it recognises is valid, and its bytes go on to the results as they
came; of anything else it says nothing, and reading with care decides.
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
"""What a reading has of its own; all else is the same for all readings of a batch."""

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

# No value can hold the line feed that stands between two of them, so that none reaches into the next.
CROP = re.compile(
    b"\n".join((_NAME, _NAME, _WHOLE, _WHOLE, _WHOLE, _BOX, _SHARE, _QUALITY, b"(%b)" % _TIME, b"(%b)" % _TIME))
)
FRAME = re.compile(b"\n".join((_NAME, _NAME, _WHOLE, _TIME, _WHOLE, _WHOLE, _WHOLE)))

_face_values = itemgetter(*_FACE)
_crop_values = itemgetter(b"v", b"kind", b"pixels", b"crc32", b"deadline_ms", *_FACE)
_frame_values = itemgetter(b"v", b"kind", b"note", *_FRAME)


class ParsedCrop(NamedTuple):
    """A crop that is known to be valid: what a worker has to know of it, and what of it goes into its reading.

    A tuple, since a worker makes thousands a second and a frozen dataclass takes several times as long to make.
    """

    values: tuple[bytes, ...]
    """The first of `READING_VALUES`: those that the crop has already."""
    captured_ms: int
    deadline_ms: int
    pixels: bytes

    @classmethod
    def fast_parse(cls, fields: Fields) -> Self | None:
        """The crop, if that can be told at a glance."""
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
        """The same of a crop that was read with care."""
        return cls(_face_values(crop.fields()), crop.captured_ms, crop.deadline_ms, crop.pixels)


def fast_parse_frame(fields: Fields) -> bool:
    """Whether these are surely the fields of a valid `FrameDone`, without others."""
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
