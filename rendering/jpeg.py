"""What the markers of a JPEG say before it is decoded: whether it is whole, and how much work it is."""

import re
from typing import NamedTuple

from contract.errors import PictureError

MOST_SCANS = 100
"""Encoders write about ten; a decoder goes through the whole picture for each, however few bytes it has."""
SCANS_OF_LARGEST = 16
"""Scans times pixels may be so many times the pixels of the largest allowed picture."""

_BEGIN = b"\xff\xd8"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that state the size."""
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length."""
_SCAN, _END = 0xDA, 0xD9
_BEHIND_A_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The next marker behind the data of a scan, in which FF is followed by 00 or is a restart marker."""


class JpegMarkers(NamedTuple):
    """What the markers state."""

    width: int
    height: int
    scans: int
    whole: bool
    """Whether the JPEG has its end; an end inside the thumbnail of a camera does not count."""


def is_jpeg(encoded: bytes) -> bool:
    """Whether the bytes begin as a JPEG does."""
    return encoded.startswith(_BEGIN)


def read_markers(encoded: bytes) -> JpegMarkers:
    """Read the markers of a JPEG up to its end, or up to where it is damaged."""
    width = height = scans = 0
    at = len(_BEGIN)
    while at + 1 < len(encoded) and encoded[at] == 0xFF and scans <= MOST_SCANS:
        marker = encoded[at + 1]
        if marker == _END:
            return JpegMarkers(width, height, scans, whole=True)
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            height, width = int.from_bytes(encoded[at + 5 : at + 7]), int.from_bytes(encoded[at + 7 : at + 9])
        at += 2 + int.from_bytes(encoded[at + 2 : at + 4])
        if marker == _SCAN:
            scans += 1
            found = _BEHIND_A_SCAN.search(encoded, at)
            at = found.start() if found else len(encoded)
    return JpegMarkers(width, height, scans, whole=False)


def check_jpeg(encoded: bytes, max_pixels: int) -> None:
    """Refuse a JPEG that is cut off, too large, or made to keep a decoder busy.

    Raises:
        PictureError: with the reason.
    """
    found = read_markers(encoded)
    pixels = found.width * found.height
    if pixels > max_pixels:
        raise PictureError(f"the picture has {found.width} x {found.height} pixels; the most is {max_pixels}")
    if found.scans > MOST_SCANS or pixels * found.scans > max_pixels * SCANS_OF_LARGEST:
        raise PictureError(f"the picture has too many scans ({found.scans} of {found.width} x {found.height} pixels)")
    if not found.whole:
        raise PictureError("the picture is cut off")
