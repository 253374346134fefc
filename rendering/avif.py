"""How the main picture of an AVIF file is turned and mirrored (ISO/IEC 23008-12, properties irot and imir)."""

from collections.abc import Iterator

import numpy as np

from rendering.picture import Picture

_BOX, _FULL = 8, 4
"""Bytes of the header of a box, and of its version and flags."""
_MOST_BOXES = 10_000


def is_avif(encoded: bytes) -> bool:
    """Whether the bytes begin as a picture in AVIF does."""
    return encoded[4:8] == b"ftyp" and any(brand in encoded[8:64] for brand in (b"avif", b"avis"))


def oriented(picture: Picture, encoded: bytes) -> Picture:
    """The stored picture as the file says that it is shown. The orientation in EXIF data does not count in AVIF."""
    for kind, value in _transforms(encoded):
        mirrored = picture[:, ::-1] if value & 1 else picture[::-1]
        picture = np.rot90(picture, value & 3) if kind == b"irot" else mirrored
    return np.ascontiguousarray(picture)


def _transforms(encoded: bytes) -> list[tuple[bytes, int]]:
    """The turns and mirrors of the main picture in their order, each with its value."""
    meta = dict(_boxes(dict(_boxes(encoded)).get(b"meta", b"")[_FULL:]))
    properties = dict(_boxes(meta.get(b"iprp", b"")))
    listed = list(_boxes(properties.get(b"ipco", b"")))
    primary = meta.get(b"pitm", b"")
    wide = primary[:1] != b"\x00"
    item = int.from_bytes(primary[_FULL : _FULL + (4 if wide else 2)])
    numbers = _associated(properties.get(b"ipma", b""), item)
    found = [listed[number - 1] for number in numbers if 0 < number <= len(listed)]
    return [(kind, body[0]) for kind, body in found if kind in {b"irot", b"imir"} and body]


def _associated(body: bytes, item: int) -> list[int]:
    """The numbers, from 1, of the properties of an item, by the box ipma."""
    wide_items, wide_numbers = body[:1] not in {b"", b"\x00"}, bool(body[3:4] and body[3] & 1)
    at, item_bytes, number_bytes = _FULL + 4, 4 if wide_items else 2, 2 if wide_numbers else 1
    for _ in range(min(int.from_bytes(body[_FULL : _FULL + 4]), _MOST_BOXES)):
        if at + item_bytes >= len(body):
            break
        found, count = int.from_bytes(body[at : at + item_bytes]), body[at + item_bytes]
        at += item_bytes + 1
        if found == item:
            mask = 0x7FFF if wide_numbers else 0x7F
            ends = range(at, at + count * number_bytes, number_bytes)
            return [int.from_bytes(body[end : end + number_bytes]) & mask for end in ends]
        at += count * number_bytes
    return []


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes that follow one another, by kind and body."""
    at = 0
    for _ in range(_MOST_BOXES):
        size, header = int.from_bytes(content[at : at + 4]), _BOX
        if size == 1:
            size, header = int.from_bytes(content[at + 8 : at + 16]), 2 * _BOX
        elif size == 0:
            size = len(content) - at
        if at + _BOX > len(content) or size < header:
            return
        yield content[at + 4 : at + 8], content[at + header : at + size]
        at += size
