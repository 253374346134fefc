"""How a face moved from one frame to the next, by optical flow.

The method is Median Flow (Kalal et al., "Forward-Backward Error: Automatic Detection of Tracking Failures", 2010): a
grid of points in the face's box is followed by Lucas and Kanade's pyramids to the new frame, and from there back.
Points that do not come back to where they began are dropped. The median of the rest is the shift of the face, and least
squares give its rotation and growth. Each face is followed in a small patch of its own, so that a large face costs no
more than a small one.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.messages import Box
from contract.model.landmarks import Point
from contract.model.preprocessing import Gray, cut

SIDE = 32
"""Side of a face's box in the patch, in pixels; smaller faces keep their size."""
AROUND = 0.5
"""Margin of the patch round the box, in its sides: a face can move this far."""
GRID = 5
"""Points a side of the box."""
LEAST = 9
"""The least number of points that must come back for a known motion."""
FARTHEST_BACK = 0.02
"""How far from its start a point may come back, in sides of the box."""
WINDOW, LEVELS, STOP = (9, 9), 2, (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)

Points = NDArray[np.float32]
"""(n, 2), x and y."""
Numbers = NDArray[np.complexfloating[Any, Any]]
"""(n,), x + iy: a product turns and stretches."""


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of a face: a shift, and a rotation and growth about its middle, in the plane of the picture."""

    middle: complex
    """Before it moved, in pixels of the frame, x + iy."""
    shift: complex
    turn: complex
    """1: no rotation and no growth."""

    def point(self, point: Point) -> Point:
        """Where `point` is now."""
        place = self.middle + self.shift + (complex(*point) - self.middle) * self.turn
        return place.real, place.imag

    def box(self, box: Box) -> Box:
        """Where `box` is now; boxes stay upright."""
        x, y = self.point((box[0] + box[2] / 2, box[1] + box[3] / 2))
        width, height = box[2] * abs(self.turn), box[3] * abs(self.turn)
        return x - width / 2, y - height / 2, width, height


def motion(before: Gray, now: Gray, box: Box) -> Motion | None:
    """The motion of `box` from one gray frame (height, width) to the next; None if it is not known."""
    side = max(box[2:])
    scale = min(1.0, SIDE / side)
    margin = AROUND * side
    patch = box[0] - margin, box[1] - margin, box[2] + 2 * margin, box[3] + 2 * margin
    begin = _grid(box, patch, scale)
    end, back = _flow(_patch(before, patch, scale), _patch(now, patch, scale), begin)
    good = np.abs(back - begin).max(axis=1) <= max(FARTHEST_BACK * side * scale, STOP[2])
    if np.count_nonzero(good) < LEAST:
        return None
    begin, end = begin[good], end[good]
    shift = np.median(end - begin, axis=0) / scale
    middle = begin.mean(axis=0) / scale + patch[:2]
    return Motion(complex(*middle), complex(*shift), _turn(begin, end))


def _patch(frame: Gray, patch: Box, scale: float) -> Gray:
    part = cut(frame, patch)
    if scale == 1.0:
        return np.ascontiguousarray(part)
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _grid(box: Box, patch: Box, scale: float) -> Points:
    places = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    across = (places * box[2] + (box[0] - patch[0])) * scale
    down = (places * box[3] + (box[1] - patch[1])) * scale
    return np.stack([np.tile(across, GRID), np.repeat(down, GRID)], axis=1).astype(np.float32)


def _flow(before: Gray, now: Gray, begin: Points) -> tuple[Points, Points]:
    """Where the points are now, and where those were before; infinitely far away for a lost point."""
    end, found = _followed(before, now, begin)
    back, found_back = _followed(now, before, end)
    back[~(found & found_back)] = np.inf
    return end, back


def _followed(before: Gray, now: Gray, points: Points) -> tuple[Points, NDArray[np.bool_]]:
    room = np.empty_like(points)
    places, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, room, None, None, WINDOW, LEVELS, STOP)
    return np.asarray(places, np.float32), np.asarray(found, np.bool_).ravel()


def _turn(begin: Points, end: Points) -> complex:
    """The number that rotates and scales one set of points into the other, about the middle of each."""
    first, last = (_numbers(points - points.mean(axis=0)) for points in (begin, end))
    return complex(np.vdot(first, last) / np.vdot(first, first).real)


def _numbers(points: Points) -> Numbers:
    return points[:, 0] + 1j * points[:, 1]
