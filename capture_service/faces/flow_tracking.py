"""Follows the faces of the last detection from frame to frame, until the next detection is due.

Detecting faces costs many times as much as following them, so detection runs only now and then. It runs earlier where

- a face cannot be followed, or moved far;
- faces are close to each other, so that one may hide the other;
- a face appeared or disappeared.

It runs more rarely where the scene does not change.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from capture_service.detectors import Detection
from capture_service.detectors.detection import KeyPoints
from capture_service.faces.median_flow import Motion, motion
from contract.messages import Box
from contract.model.preprocessing import Gray

FARTHEST = 0.5
"""How far a face may move from where it was detected, in sides of its box, before the next detection."""
MOST_GROWTH = 1.2
BESIDE = 0.25
"""Gap between two boxes, in sides of the larger, below which one face may soon hide the other."""
STILL_TIMES = 5
"""In a scene that does not change, detections are this many times rarer."""
STILL = 6.0
"""In gray levels: a cell of the scene that changes by less counts as unchanged."""
SCENE = 16, 12
"""Cells of the scene, across and down."""


@dataclass(frozen=True, slots=True)
class _Followed:
    """A face, and where it was when it was detected."""

    detected: Box
    now: Detection

    @property
    def moved_far(self) -> bool:
        size, side = self.now.box[2] / self.detected[2], max(self.detected[2:])
        return (
            math.dist(self.detected[:2], self.now.box[:2]) > FARTHEST * side or not 1 / MOST_GROWTH < size < MOST_GROWTH
        )


class FlowTracker:
    """Follows the faces of one source.

    Args:
        every: seconds between two detections; 0: detect in every frame.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._faces: list[_Followed] = []
        self._frame: Gray | None = None
        """The last frame; None if the next one needs a detection."""
        self._detected_at = -math.inf
        self._scene: Gray | None = None

    def reset(self) -> None:
        """The next frame belongs to another scene."""
        self._faces, self._frame = [], None

    def follow(self, frame: Gray, seconds: float) -> list[Detection] | None:
        """The detected faces, moved with the picture; None if a detection is due.

        Args:
            frame: gray, (height, width).
            seconds: when it was captured, on any clock that never goes back.
        """
        before, self._frame = self._frame, frame
        if not self._every or before is None or before.shape != frame.shape or self._is_due(frame, seconds):
            return None
        faces = [_moved(face, motion(before, frame, face.now.box)) for face in self._faces]
        self._faces = [face for face in faces if face is not None]
        boxes = [face.now.box for face in self._faces]
        if len(boxes) < len(faces) or any(face.moved_far for face in self._faces) or _any_beside(boxes):
            return None
        return [face.now for face in self._faces]

    def restart(self, frame: Gray, seconds: float, detections: Sequence[Detection]) -> None:
        """Follow the detected faces of this frame from now on."""
        if not self._every:
            return
        # A face that appeared or disappeared may be an error of the detector: the next frame is detected, too.
        self._frame = frame if len(detections) == len(self._faces) else None
        self._faces = [_Followed(one.box, one) for one in detections]
        self._detected_at, self._scene = seconds, _scene_of(frame)

    def _is_due(self, frame: Gray, seconds: float) -> bool:
        since = seconds - self._detected_at
        # Frames do not come at exact times: half a millisecond less counts as due.
        if since < self._every - 5e-4:
            return False
        return since >= STILL_TIMES * self._every or self._scene is None or _changed(self._scene, _scene_of(frame))


def _moved(face: _Followed, moved: Motion | None) -> _Followed | None:
    if moved is None:
        return None
    points = face.now.points and KeyPoints(*(moved.point(point) for point in face.now.points.all))
    return _Followed(face.detected, replace(face.now, box=moved.box(face.now.box), points=points))


def _any_beside(boxes: Sequence[Box]) -> bool:
    return any(_gap(one, other) < BESIDE for number, one in enumerate(boxes) for other in boxes[:number])


def _gap(one: Box, other: Box) -> float:
    """Between two boxes, in sides of the larger; below 0 if they overlap."""
    across = max(one[0], other[0]) - min(one[0] + one[2], other[0] + other[2])
    down = max(one[1], other[1]) - min(one[1] + one[3], other[1] + other[3])
    return max(across, down) / max(*one[2:], *other[2:])


def _scene_of(frame: Gray) -> Gray:
    return cv2.resize(frame, SCENE, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _changed(before: Gray, now: Gray) -> bool:
    return bool(cv2.norm(before, now, cv2.NORM_INF) > STILL)
