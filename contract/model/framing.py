"""How a face is framed for the network: eyes and mouth where the faces of its training have them.

Measured on 2,967 of 3,000 random training faces of FER2013 (BlazeFace found no points in the others). They were
enlarged four times and surrounded by repeated edges, since BlazeFace needs more than a face:
`benchmarks/experiments/framing.py`.
"""

import math
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.messages import Box
from contract.model.landmarks import Landmarks, Point
from contract.model.normalisation import CROP_SIZE
from contract.model.preprocessing import Gray, crop, cut, framing_square, gray

SPREAD = 0.3925
"""Median of the larger of two distances, eye to eye and eyes to mouth, in sides of the crop. The first shrinks when a
head turns away, the second when it nods."""
MIDDLE = 0.5845
"""Median distance from the top of the point half way between eyes and mouth, in sides of the crop."""
PLAUSIBLE = (0.5, 2.5)
"""Range of the side by the points, in longer sides of the box; it is about 1.2. Points outside the range are wrong."""


@dataclass(frozen=True, slots=True)
class Framing:
    """A square of a picture, in pixels, rotated by `roll` degrees about its middle."""

    middle: Point
    side: float
    roll: float
    """Clockwise; the cut picture is upright."""

    @classmethod
    def of(cls, landmarks: Landmarks, box: Box) -> Self | None:
        """The framing by the landmarks; None if they are impossible for a face in this box."""
        eyes = _between(landmarks.right_eye, landmarks.left_eye)
        across, down = _from(landmarks.right_eye, landmarks.left_eye), _from(eyes, landmarks.mouth)
        side = max(math.hypot(*across), math.hypot(*down)) / SPREAD
        if not PLAUSIBLE[0] <= side / max(box[2:]) <= PLAUSIBLE[1]:
            return None
        # The line through the eyes, and the line to the mouth turned back by a quarter: their sum jitters less.
        roll = math.atan2(across[1] - down[0], across[0] + down[1])
        shift = (0.5 - MIDDLE) * side
        x, y = _between(eyes, landmarks.mouth)
        return cls((x - shift * math.sin(roll), y + shift * math.cos(roll)), side, math.degrees(roll))

    def cut(self, picture: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
        """The square of `picture` (h, w) or (h, w, 3), upright, with sides of `pixels`; edges are repeated."""
        # All corners of the rotated square, with at most twice the pixels of the result: fewer would lose detail,
        # more would alias.
        reach = self.side * math.sqrt(2) + 2
        left, top = round(self.middle[0] - reach / 2), round(self.middle[1] - reach / 2)
        around = cut(picture, (left, top, round(reach), round(reach)))
        scale = min(1.0, 2 * pixels / self.side)
        if scale < 1:
            size = max(1, round(around.shape[1] * scale)), max(1, round(around.shape[0] * scale))
            scale = size[0] / around.shape[1]
            around = cv2.resize(around, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        # Pixels are squares: the middle of the first pixel lies half a pixel from the edge.
        middle = tuple((place - start) * scale - 0.5 for place, start in zip(self.middle, (left, top), strict=True))
        turn = cv2.getRotationMatrix2D(middle, self.roll, pixels / (self.side * scale))
        turn = turn + np.array([[0, 0, (pixels - 1) / 2 - middle[0]], [0, 0, (pixels - 1) / 2 - middle[1]]])
        turned = cv2.warpAffine(around, turn, (pixels, pixels), borderMode=cv2.BORDER_REPLICATE)
        return turned.astype(np.uint8, copy=False)


def frame_face(picture: NDArray[np.uint8], box: Box, landmarks: Landmarks | None) -> Gray:
    """The 48 x 48 gray crop of a face, as the network gets it.

    Without landmarks (from the Haar detector), or with impossible ones, it is an upright square of 1.5 times the box.
    To cut several faces of a picture, convert it to gray once before; the crops are the same.
    """
    framing = Framing.of(landmarks, box) if landmarks else None
    return framing.cut(gray(picture), CROP_SIZE) if framing else crop(picture, framing_square(box))


def show_face(picture: NDArray[np.uint8], box: Box, landmarks: Landmarks | None, pixels: int) -> NDArray[np.uint8]:
    """The same part of the picture for people: in colour, with sides of `pixels`."""
    if landmarks and (framing := Framing.of(landmarks, box)):
        return framing.cut(picture, pixels)
    shown = cv2.resize(cut(picture, framing_square(box)), (pixels, pixels), interpolation=cv2.INTER_AREA)
    return shown.astype(np.uint8, copy=False)


def _between(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _from(one: Point, other: Point) -> Point:
    return other[0] - one[0], other[1] - one[1]
