"""Hiding faces in a picture before it leaves the gateway."""

from collections.abc import Iterable

import cv2

from contract.messages import Box
from contract.runtime_settings import Blur
from rendering.images import Picture

ASIDE, ABOVE, BELOW = 0.35, 0.5, 0.3
"""How far the hidden area exceeds the detector's box, in its sides: the box ends at brows and chin."""
CELLS = 2
"""A blurred head consists of 2 by 2 means of its pixels. With 4 by 4, BlazeFace still found 8 of 85 faces."""
COVER = (74, 66, 62)
"""BGR."""


def hide(picture: Picture, boxes: Iterable[Box], blur: Blur) -> None:
    """Hide the heads of the faces in these boxes; changes the picture."""
    if blur == "off":
        return
    for box in boxes:
        left, top, right, bottom = _head(box, *picture.shape[1::-1])
        if left >= right or top >= bottom:
            continue
        if blur == "mask":
            picture[top:bottom, left:right] = COVER
        else:
            means = cv2.resize(picture[top:bottom, left:right], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
            blurred = cv2.resize(means, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
            picture[top:bottom, left:right] = blurred


def _head(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the hidden area, within the picture."""
    left, top = box[0] - ASIDE * box[2], box[1] - ABOVE * box[3]
    right, bottom = box[0] + (1 + ASIDE) * box[2], box[1] + (1 + BELOW) * box[3]
    x0, y0 = min(max(left, 0), width), min(max(top, 0), height)
    x1, y1 = min(max(right, 0), width), min(max(bottom, 0), height)
    return int(x0), int(y0), round(x1), round(y1)
