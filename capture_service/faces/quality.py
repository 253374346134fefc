"""The quality of a crop, as the contract's `Quality` defines its values."""

import cv2
import numpy as np

from capture_service.detectors import Detection
from capture_service.detectors.detection import KeyPoints
from contract.messages import Box, Quality
from contract.model.preprocessing import Gray


def judge(crop: Gray, detection: Detection, width: int, height: int) -> Quality:
    """The quality of a 48 x 48 crop of `detection` from a frame of `width` x `height` pixels."""
    return Quality(
        brightness=float(crop.mean()) / 255,
        sharpness=sharpness(crop),
        size=max(detection.box[2], detection.box[3]),
        turn=turn(detection.points) if detection.points else 0.0,
        inside=inside(detection.box, width, height),
    )


def sharpness(crop: Gray) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., 2000) over that of the pixels, so that contrast cancels out.

    The ratio r of 0 and above becomes r / (1 + r), 0 to 1; a flat crop has 0.
    """
    variance = float(crop.var())
    if variance < 1e-6:
        return 0.0
    ratio = float(cv2.Laplacian(crop, cv2.CV_64F).var()) / variance
    return ratio / (1 + ratio)


def turn(points: KeyPoints) -> float:
    """0 if the nose is half way between the ears, 1 if it is over one of them or beyond."""
    right, left, nose = (np.array(point) for point in (points.right_ear, points.left_ear, points.nose))
    axis = left - right
    length = float(axis @ axis)
    if length < 1e-6:
        return 1.0
    place = float((nose - right) @ axis) / length
    return min(1.0, abs(2 * place - 1))


def inside(box: Box, width: int, height: int) -> float:
    """The share of the box that lies inside the frame."""
    left, top, box_width, box_height = box
    across = max(0.0, min(left + box_width, width) - max(left, 0.0))
    down = max(0.0, min(top + box_height, height) - max(top, 0.0))
    return min(1.0, across * down / (box_width * box_height))
