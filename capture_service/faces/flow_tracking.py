"""Between detections: the faces of the last one are followed from frame to frame, until it is time for the next.

Finding faces costs many times what following them does. So the network looks at a frame only once in a while, and
sooner the more happens: where a face cannot be followed or went some way, where faces are beside each other, so that
one may hide the other, and where somebody came or went. Where nothing changes at all it has little to look for.
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
"""How far a face may go from where it was found, in sides of its box, before the next detection."""
MOST_GROWTH = 1.2
BESIDE = 0.25
"""Between two boxes, in sides of the larger: nearer than that, one face may soon hide the other."""
STILL_TIMES = 5
"""Where nothing changes, detections are so many times rarer."""
STILL = 6.0
"""Of 255: a part of the scene, a twelfth of its height large, that changes by less has not changed."""
SCENE = 16, 12


@dataclass(frozen=True, slots=True)
class _Followed:
    """A face, and where it was when it was found."""

    found: Box
    now: Detection

    @property
    def went_far(self) -> bool:
        size, side = self.now.box[2] / self.found[2], max(self.found[2:])
        return math.dist(self.found[:2], self.now.box[:2]) > FARTHEST * side or not 1 / MOST_GROWTH < size < MOST_GROWTH


class FlowTracker:
    """Follows the faces of one source.

    Args:
        every: seconds from one detection to the next; 0 leaves every frame to the detector.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._faces: list[_Followed] = []
        self._frame: Gray | None = None
        """The last one; None where the next is to be looked at whole."""
        self._found_at = -math.inf
        self._scene: Gray | None = None

    def forget(self) -> None:
        """What comes has nothing to do with what was."""
        self._faces, self._frame = [], None

    def follow(self, frame: Gray, seconds: float) -> list[Detection] | None:
        """The faces of a frame, as they were found, moved with the picture; None where it is time to detect.

        Args:
            frame: gray, (height, width).
            seconds: when it was taken, on any clock that never goes back.
        """
        before, self._frame = self._frame, frame
        if not self._every or before is None or before.shape != frame.shape or self._is_due(frame, seconds):
            return None
        faces = [_moved(face, motion(before, frame, face.now.box)) for face in self._faces]
        self._faces = [face for face in faces if face is not None]
        boxes = [face.now.box for face in self._faces]
        if len(boxes) < len(faces) or any(face.went_far for face in self._faces) or _any_beside(boxes):
            return None
        return [face.now for face in self._faces]

    def found(self, frame: Gray, seconds: float, detections: Sequence[Detection]) -> None:
        """Follow these faces of this frame from now on."""
        if not self._every:
            return
        # Whoever came or went may have done so in the detector's eyes only: it looks once more.
        self._frame = frame if len(detections) == len(self._faces) else None
        self._faces = [_Followed(one.box, one) for one in detections]
        self._found_at, self._scene = seconds, _scene_of(frame)

    def _is_due(self, frame: Gray, seconds: float) -> bool:
        since = seconds - self._found_at
        # Frames do not come at exact times: half a millisecond less is as long.
        if since < self._every - 5e-4:
            return False
        return since >= STILL_TIMES * self._every or self._scene is None or _changed(self._scene, _scene_of(frame))


def _moved(face: _Followed, moved: Motion | None) -> _Followed | None:
    if moved is None:
        return None
    points = face.now.points and KeyPoints(*(moved.point(point) for point in face.now.points.all))
    return _Followed(face.found, replace(face.now, box=moved.box(face.now.box), points=points))


def _any_beside(boxes: Sequence[Box]) -> bool:
    return any(_gap(one, other) < BESIDE for number, one in enumerate(boxes) for other in boxes[:number])


def _gap(one: Box, other: Box) -> float:
    """Between two boxes, in sides of the larger; below 0 where they overlap."""
    across = max(one[0], other[0]) - min(one[0] + one[2], other[0] + other[2])
    down = max(one[1], other[1]) - min(one[1] + one[3], other[1] + other[3])
    return max(across, down) / max(*one[2:], *other[2:])


def _scene_of(frame: Gray) -> Gray:
    return cv2.resize(frame, SCENE, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _changed(before: Gray, now: Gray) -> bool:
    return bool(cv2.norm(before, now, cv2.NORM_INF) > STILL)
