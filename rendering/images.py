"""Encodes, decodes and scales pictures with OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.errors import PictureError

Picture = NDArray[np.uint8]
"""(height, width, 3), BGR."""


def decode(jpeg: bytes) -> Picture:
    """The picture in colour.

    Raises:
        PictureError: the bytes are not a picture.
    """
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if picture is None:
        raise PictureError(f"{len(jpeg)} bytes that are not a picture")
    return picture.astype(np.uint8, copy=False)


def encode(picture: Picture, quality: int) -> bytes:
    """The picture as JPEG of this quality (1 to 100)."""
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PictureError(f"a picture of {picture.shape} cannot be encoded")
    return jpeg.tobytes()


def narrowed(picture: Picture, width: int) -> Picture:
    """The picture scaled down to at most this width, with its proportions."""
    rows, columns = picture.shape[:2]
    if columns <= width:
        return picture
    size = width, max(1, round(rows * width / columns))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
