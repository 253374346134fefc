"""The appearance of a face over a few seconds, to keep apart two faces that met.

An appearance vector is only a small gray picture. It is compared with the vectors of neighbouring faces, in this
process, and is dropped with its track, seconds after the face is gone. No network computes it, and it recognises
nobody: two pictures of one person on two days, or with the head turned, are no more alike than those of two people. So
it is not an identity embedding.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.model.preprocessing import Gray

SIDE = 16
"""Side of the small picture, in pixels."""
KEPT = 0.8
"""The weight of the earlier appearance at each new one."""

AppearanceVector = NDArray[np.float32]
"""(256,): the small picture without brightness and contrast, so that the product of two is their correlation."""


def appearance(crop: Gray) -> AppearanceVector:
    """The appearance vector of a 48 x 48 gray crop."""
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return _scaled(small.ravel() - small.mean())


def correlation(one: AppearanceVector, other: AppearanceVector) -> float:
    """1 for the same picture, about 0 for two unrelated ones."""
    return float(one @ other)


def blend(before: AppearanceVector, now: AppearanceVector) -> AppearanceVector:
    """The appearance of a face after a new one."""
    return _scaled(KEPT * before + (1 - KEPT) * now)


def _scaled(pixels: AppearanceVector) -> AppearanceVector:
    return (pixels / max(float(np.linalg.norm(pixels)), 1e-6)).astype(np.float32)
