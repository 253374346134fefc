"""Decodes the frame that was grabbed last; motion JPEG is decoded here, frame by frame.

FFmpeg decodes a truncated JPEG into the memory of an earlier frame, so that the missing part may show another person's
face. OpenCV therefore returns the undecoded JPEGs of such streams, and a truncated JPEG is no picture.
"""

from typing import TYPE_CHECKING

import numpy as np

from capture_service.frame import Picture

if TYPE_CHECKING:
    import cv2

_MOTION_JPEG = int.from_bytes(b"MJPG", "little")
_UNDECODED = -1
_JPEG_END = b"\xff\xd9"
_END_WITHIN = 64
"""Bytes: a JPEG's end may be followed by some padding."""


def request_jpegs(capture: "cv2.VideoCapture") -> None:
    """Have FFmpeg return undecoded frames of motion JPEG; call it before the first frame is grabbed."""
    import cv2

    if int(capture.get(cv2.CAP_PROP_FOURCC)) == _MOTION_JPEG:
        capture.set(cv2.CAP_PROP_FORMAT, _UNDECODED)


def retrieve(capture: "cv2.VideoCapture") -> Picture | None:
    """The picture, (height, width, 3) BGR or gray as the camera sends it; None if the frame is incomplete."""
    import cv2

    decoded, frame = capture.retrieve()
    if not decoded or frame is None or frame.size == 0:
        return None
    if capture.get(cv2.CAP_PROP_FORMAT) != _UNDECODED or capture.get(cv2.CAP_PROP_BACKEND) != cv2.CAP_FFMPEG:
        return np.asarray(frame, np.uint8)
    return _decoded(np.asarray(frame, np.uint8).reshape(-1), _size(capture))


def _decoded(jpeg: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], size: tuple[int, int]) -> Picture | None:
    import cv2

    if _JPEG_END not in jpeg[-_END_WITHIN:].tobytes():
        return None
    try:
        picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:  # too large, or not a JPEG
        return None
    if picture is None or picture.size == 0:
        return None
    if picture.shape[1::-1] != size and all(size):  # as with FFmpeg: every frame has the size of the first
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)


def _size(capture: "cv2.VideoCapture") -> tuple[int, int]:
    import cv2

    return round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
