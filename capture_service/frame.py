"""A frame: one picture of a source, with its number and time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, 3), BGR."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture, or the place of one that could not be read."""

    number: int
    """Counts from 0 within one opening of the source; skipped frames count, too."""
    seconds: float
    """Of a live source: `time.monotonic()` when it was captured. Of a recording: its time in the recording."""
    picture: Picture | None
    """None if it could not be decoded; never another frame's pixels."""
    note: str = ""
    """Why there is no picture."""
