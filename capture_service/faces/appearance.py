"""How a face looks from one moment to the next, to tell which of two that met is which.

A look is a small gray picture and nothing more: it is compared with those of the faces beside it, in this process, and
is gone with its track, seconds after the face is. No network makes it and it knows nobody again: two pictures of one
person on two days, or with the head turned, are no more alike than those of two people. So it is no identity embedding.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.model.preprocessing import Gray

SIDE = 16
"""Of the small picture, in pixels."""
KEPT = 0.8
"""Of what a face looked like, at each new sight of it."""

Look = NDArray[np.float32]
"""(256,): the small picture without its brightness and contrast, so that the product of two is their correlation."""


def look_of(crop: Gray) -> Look:
    """The look of a face by its 48 x 48 gray crop."""
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return _scaled(small.ravel() - small.mean())


def likeness(one: Look, other: Look) -> float:
    """Correlation: 1 for the same picture, about 0 for two that have nothing in common."""
    return float(one @ other)


def blend(before: Look, now: Look) -> Look:
    """What a face looks like after this sight of it."""
    return _scaled(KEPT * before + (1 - KEPT) * now)


def _scaled(pixels: Look) -> Look:
    return (pixels / max(float(np.linalg.norm(pixels)), 1e-6)).astype(np.float32)
