"""Decodes uploaded pictures and those of files, within the bounds of the settings."""

from pathlib import Path

from capture_service.frame import Picture
from contract.errors import PictureError, reason_of
from rendering import images


def decode(encoded: bytes, max_bytes: int, max_pixels: int = images.MOST_PIXELS) -> Picture:
    """A picture as (height, width, 3) BGR, upright; `rendering.images.decode` lists the formats.

    `opencv.limit` bounds the number of decoded pixels of other formats than JPEG for the whole process.

    Raises:
        PictureError: it is not a picture, is damaged or too large.
    """
    if len(encoded) > max_bytes:
        raise PictureError(f"the picture has {len(encoded)} bytes; the most is {max_bytes}")
    return images.decode(encoded, max_pixels)


def decode_file(path: Path, max_bytes: int, max_pixels: int = images.MOST_PIXELS) -> Picture:
    """As `decode`, of a file, of which no more bytes are read.

    Raises:
        PictureError: it cannot be read, is not a picture, is damaged or too large; the reason does not name the file.
    """
    try:
        size = path.stat().st_size
        encoded = path.read_bytes() if size <= max_bytes else b""
    except (OSError, ValueError) as error:  # the latter: no file has such a name
        raise PictureError(reason_of(error)) from error
    if size > max_bytes:
        raise PictureError(f"the picture has {size} bytes; the most is {max_bytes}")
    return decode(encoded, max_bytes, max_pixels)
