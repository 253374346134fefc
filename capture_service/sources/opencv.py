"""Bounds for OpenCV, and opening webcams and video files.

`limit` must run before `cv2` is imported for the first time, since OpenCV reads these variables while it is loaded. So
this module imports `cv2` only inside functions.
"""

import math
import os
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from capture_service.settings import CaptureSettings
from capture_service.sources.opencv_frames import request_jpegs
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError

if TYPE_CHECKING:
    import cv2

_CONTAINERS = "mov,mp4,matroska,webm,avi,gif,mpegts,mpeg,mpegvideo,ogg,flv,asf,wtv,rm,dv,mxf,nut,ivf,apng,webp_anim"
"""FFmpeg's formats that hold a video and name no other file."""

_OPTIONS = Lock()
"""OpenCV reads FFmpeg's options from the environment, which all threads share; each video has its own options."""


def limit(settings: CaptureSettings) -> None:
    """Bound what OpenCV decodes and logs in this process; call it before `cv2` is imported."""
    pixels = settings.picture_max_megapixels * 1_000_000
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(pixels)
    os.environ["OPENCV_IO_MAX_IMAGE_WIDTH"] = os.environ["OPENCV_IO_MAX_IMAGE_HEIGHT"] = "32768"
    os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(settings.stall_timeout.total_seconds())))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # each error is logged once, by this service
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def open_capture(spec: SourceSpec, settings: CaptureSettings) -> "cv2.VideoCapture":
    """Open a webcam or a video file.

    Raises:
        SourceError: OpenCV cannot open it within `open_timeout`, or its frames are too large.
    """
    import cv2

    if spec.kind == "file" and not Path(spec.address).is_file():  # a device or FIFO could be read for ever
        raise SourceError(f"{'not a regular file' if Path(spec.address).exists() else 'no such file'}: {spec.safe}")
    if spec.kind == "webcam":
        native = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY)
        capture = cv2.VideoCapture(int(spec.address), native)
    else:
        formats = f"|format_whitelist;{_CONTAINERS}" if spec.uploaded_as or spec.added else ""
        capture = _open(spec.address, f"protocol_whitelist;file{formats}", settings)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"cannot open {spec.safe}")
    size = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    # OpenCV's own bound is for pictures only. Frames that change their size are scaled to that of the first.
    if math.prod(size) > settings.picture_max_megapixels * 1_000_000:
        capture.release()
        most = f"{settings.picture_max_megapixels} megapixels (EMOTII_PICTURE_MAX_MEGAPIXELS)"
        raise SourceError(f"{spec.safe} has frames of {size[0]:.0f} x {size[1]:.0f}; the most is {most}")
    if spec.kind != "webcam":
        request_jpegs(capture)
    return capture


def _open(address: str, options: str, settings: CaptureSettings) -> "cv2.VideoCapture":
    import cv2

    open_ms = round(settings.open_timeout.total_seconds() * 1000)
    read_ms = round(settings.stall_timeout.total_seconds() * 1000)
    bounds = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_ms]
    if not _OPTIONS.acquire(timeout=settings.open_timeout.total_seconds()):
        raise SourceError("an earlier attempt to open it still waits for a response")
    try:
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = options
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, [*bounds, cv2.CAP_PROP_N_THREADS, 1])
    finally:
        del os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"]
        _OPTIONS.release()
