"""Encodes, decodes and scales pictures with OpenCV. Every still picture of the project is decoded here."""

import cv2
import numpy as np

from contract.errors import PictureError
from rendering import avif, jpeg
from rendering.picture import Picture

__all__ = ["Picture", "decode", "encode", "narrowed"]

MOST_PIXELS = 40_000_000
_KINDS = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How files begin in the formats beside AVIF. OpenCV's other decoders are kept from what strangers send."""


def decode(encoded: bytes, max_pixels: int = MOST_PIXELS, *, upright: bool = True, own: bool = False) -> Picture:
    """A JPEG, PNG, WebP, AVIF, GIF (its first frame), BMP or TIFF in colour.

    Args:
        encoded: the bytes of the file.
        max_pixels: of a JPEG. In other formats OpenCV's own bounds hold (`capture_service.sources.opencv.limit`).
        upright: turn and mirror it as the file says.
        own: the user's own file, which may also have another format that OpenCV decodes, such as JPEG 2000.

    Raises:
        PictureError: it is not a picture, is cut off, damaged or too large.
    """
    if not encoded:
        raise PictureError("the picture is empty")
    is_avif = avif.is_avif(encoded)
    if not own and not is_avif and not encoded.startswith(_KINDS):
        raise PictureError("this is not a picture that can be read")
    if jpeg.is_jpeg(encoded):
        jpeg.check_jpeg(encoded, max_pixels)
    flags = cv2.IMREAD_COLOR if upright and not is_avif else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        found = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except cv2.error as error:
        raise PictureError("the picture is damaged, or has more than EMOTII_PICTURE_MAX_MEGAPIXELS") from error
    if found is None or found.size == 0:
        raise PictureError("this is not a picture that can be read")
    picture = np.asarray(found, np.uint8)
    return avif.oriented(picture, encoded) if upright and is_avif else picture


def encode(picture: Picture, quality: int) -> bytes:
    """The picture as JPEG of this quality (1 to 100)."""
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PictureError(f"a picture of {picture.shape} cannot be encoded")
    return encoded.tobytes()


def narrowed(picture: Picture, width: int) -> Picture:
    """The picture scaled down to at most this width, with its proportions."""
    rows, columns = picture.shape[:2]
    if columns <= width:
        return picture
    size = width, max(1, round(rows * width / columns))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
