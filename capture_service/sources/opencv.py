"""Bounds for OpenCV, and opening webcams.

`limit` must run before `cv2` is imported for the first time, since OpenCV reads these variables while it is loaded. So
this module imports `cv2` only inside functions.
"""

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError

if TYPE_CHECKING:
    import cv2


def limit(settings: CaptureSettings) -> None:
    """Bound what OpenCV decodes and logs in this process; call it before `cv2` is imported."""
    pixels = settings.picture_max_megapixels * 1_000_000
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(pixels)
    os.environ["OPENCV_IO_MAX_IMAGE_WIDTH"] = os.environ["OPENCV_IO_MAX_IMAGE_HEIGHT"] = "32768"
    os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(settings.stall_timeout.total_seconds())))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # each error is logged once, by this service
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def open_webcam(spec: SourceSpec, settings: CaptureSettings) -> "cv2.VideoCapture":
    """Open a webcam.

    Raises:
        SourceError: OpenCV cannot open it, or its frames are too large.
    """
    import cv2

    native = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY)
    capture = cv2.VideoCapture(int(spec.address), native)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"cannot open {spec.safe}: {_failure(Path(f'/dev/video{spec.address}'))}")
    size = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if math.prod(size) > settings.picture_max_megapixels * 1_000_000:  # OpenCV's own bound is for pictures only
        capture.release()
        most = f"{settings.picture_max_megapixels} megapixels (EMOTII_PICTURE_MAX_MEGAPIXELS)"
        raise SourceError(f"{spec.safe} has frames of {size[0]:.0f} x {size[1]:.0f}; the most is {most}")
    return capture


def _failure(device: Path) -> str:
    """Why a webcam cannot be opened; OpenCV does not tell."""
    if sys.platform != "linux":
        return "it is missing, in use, or not allowed for this program"
    if not device.exists():
        return f"there is no {device}"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"{device} is not allowed for this user (is it in the group video?)"
    return f"{device} is in use, or is no camera"
