"""From a picture to the crop of a face: one definition for training and serving."""

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.messages import Box
from contract.model.normalisation import CROP_SIZE

FRAMING = 1.5
"""Side of the cut square, as a multiple of the longer side of the detector's box."""

Gray = NDArray[np.uint8]


def gray(picture: NDArray[np.uint8]) -> Gray:
    """The luma of a picture: (h, w) unchanged; (h, w, 1), BGR (h, w, 3) or BGRA (h, w, 4) converted."""
    if picture.ndim == 2:
        return picture
    match picture.shape[2]:
        case 1:
            return picture[:, :, 0]
        case 3:
            return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        case 4:
            return cv2.cvtColor(picture, cv2.COLOR_BGRA2GRAY).astype(np.uint8, copy=False)
        case channels:
            raise ValueError(f"a picture has 1, 3 or 4 channels, not {channels}")


def framing_square(box: Box, framing: float = FRAMING) -> Box:
    """The square round the middle of `box` whose side is `framing` times the box's longer side."""
    left, top, width, height = box
    side = framing * max(width, height)
    return left + (width - side) / 2, top + (height - side) / 2, side, side


def cut(picture: NDArray[np.uint8], square: Box) -> NDArray[np.uint8]:
    """The pixels of `picture` (h, w) or (h, w, 3) under `square`; beyond the picture, its edge is repeated.

    Only the needed part is copied. The result has the rounded size of the square, at least 1 x 1.
    """
    height, width = picture.shape[:2]
    left, top = round(square[0]), round(square[1])
    right, bottom = max(left + 1, round(square[0] + square[2])), max(top + 1, round(square[1] + square[3]))
    x0, x1 = min(max(left, 0), width - 1), max(min(right, width), 1)
    y0, y1 = min(max(top, 0), height - 1), max(min(bottom, height), 1)
    x0, y0 = min(x0, x1 - 1), min(y0, y1 - 1)
    inside = picture[y0:y1, x0:x1]
    over = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if not any(over):
        return inside
    above, below = _clip_padding(over[0], over[1], bottom - top)
    before, behind = _clip_padding(over[2], over[3], right - left)
    return cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


def _clip_padding(near: int, far: int, side: int) -> tuple[int, int]:
    """A square outside the picture is all padding, except for the one row that is repeated."""
    near = min(near, side - 1)
    return near, min(far, side - 1 - near) if near + far >= side else far


def crop(picture: NDArray[np.uint8], square: Box) -> Gray:
    """The 48 x 48 gray crop of `square`, as training and serving both pass it to `Normalisation.apply`."""
    return resize(gray(cut(picture, square)))


def resize(face: Gray) -> Gray:
    """A gray face of any size as 48 x 48: reduced by area averaging, which avoids aliasing, or enlarged linearly."""
    if face.shape == (CROP_SIZE, CROP_SIZE):
        return face
    interpolation = cv2.INTER_AREA if min(face.shape) > CROP_SIZE else cv2.INTER_LINEAR
    return cv2.resize(face, (CROP_SIZE, CROP_SIZE), interpolation=interpolation).astype(np.uint8, copy=False)
