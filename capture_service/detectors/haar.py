"""The Haar cascade of the first Emotii (Viola and Jones, 2001), as OpenCV ships it."""

from pathlib import Path

import cv2
import numpy as np

from capture_service.detectors.detection import Detection
from capture_service.frame import Picture
from contract.errors import ModelError
from contract.model.preprocessing import gray

SCALE_FACTOR = 1.1
MIN_NEIGHBORS = 5


class Haar:
    """Finds frontal faces only; it returns neither key points nor a score, so the score is always 1."""

    def __init__(self, most: int) -> None:
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise ModelError(f"{path} is missing: install opencv-python-headless 4.14")
        self._most = most

    def detect(self, picture: Picture) -> list[Detection]:
        found = self._cascade.detectMultiScale(gray(picture), SCALE_FACTOR, MIN_NEIGHBORS)
        boxes = np.asarray(found, np.float64).reshape(-1, 4)
        largest_first = boxes[np.argsort(-boxes[:, 2])][: self._most].tolist()
        return [Detection((left, top, width, height), 1.0) for left, top, width, height in largest_first]
