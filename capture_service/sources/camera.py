"""A webcam: live, without an end."""

import time

import cv2
import numpy as np

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.opencv import open_webcam
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError


class Camera:
    """Frames as the device sends them."""

    pace: float | None = None
    polled = False

    def __init__(self, spec: SourceSpec, settings: CaptureSettings) -> None:
        self._spec = spec
        self._settings = settings
        self._capture: cv2.VideoCapture | None = None
        self._number = 0

    def open(self) -> None:
        self._capture = open_webcam(self._spec, self._settings)
        self._number = 0

    def read(self) -> Frame | None:
        capture = self._grab()
        taken = time.monotonic()
        decoded, picture = capture.retrieve()
        number, self._number = self._number, self._number + 1
        if not decoded or picture is None or picture.size == 0:
            return Frame(number, taken, None, "the frame could not be decoded")
        return Frame(number, taken, _colour(np.asarray(picture, np.uint8)))

    def skip(self) -> bool:
        self._grab()
        self._number += 1
        return True

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _grab(self) -> cv2.VideoCapture:
        if self._capture is None or not self._capture.grab():
            raise SourceError(f"{self._spec.safe} sends no more frames")
        return self._capture


def _colour(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture as BGR; some cameras are gray: (h, w) or (h, w, 1)."""
    if picture.ndim == 3 and picture.shape[2] == 3:
        return picture
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
