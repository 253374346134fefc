"""Decodes uploaded pictures."""

import cv2
import numpy as np

from capture_service.frame import Picture
from contract.errors import PictureError

_JPEG_BEGIN, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


def decode(encoded: bytes, max_bytes: int) -> Picture:
    """A JPEG, PNG, WebP, GIF (its first frame), BMP or TIFF as (height, width, 3) BGR, rotated by its EXIF data.

    `opencv.limit` bounds the number of decoded pixels for the whole process.

    Raises:
        PictureError: it is not a picture, is damaged or too large.
    """
    if not encoded:
        raise PictureError("the picture is empty")
    if len(encoded) > max_bytes:
        raise PictureError(f"the picture has {len(encoded)} bytes; the most is {max_bytes}")
    if encoded.startswith(_JPEG_BEGIN) and _JPEG_END not in encoded:
        raise PictureError("the picture is cut off")  # OpenCV would fill the rest with gray
    try:
        picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError("the picture is damaged, or has more than EMOTII_PICTURE_MAX_MEGAPIXELS") from error
    if picture is None or picture.size == 0:
        raise PictureError("this is not a picture that can be read")
    return np.asarray(picture, np.uint8)
