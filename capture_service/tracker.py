"""Tracks: the same face over consecutive frames of a source.

The method is SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016): each track predicts where its box is,
and the predictions are paired with the detections by their overlap. Two of its parts are simpler here. The Kalman
filter is its steady state for constant velocity, the alpha-beta filter, which needs no matrices. And pairs are taken
best first instead of by the Hungarian method: the two differ only where boxes of several people overlap strongly, which
faces, unlike whole bodies, hardly do. As in ByteTrack (Zhang et al., 2022) a second round pairs what the first left
over by a milder rule, here nearness, so that a jump of less than a face's width keeps its track.

No library: those that track (norfair, supervision, boxmot) bring SciPy or PyTorch for these hundred lines.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from contract.messages import Box

LIFE_SECONDS = 1.0
"""A track survives this long without its face."""
MIN_OVERLAP = 0.2
MAX_DISTANCE = 1.0
"""Between centres, in sides of the larger box, in the second round."""
MAX_GROWTH = 2.0
ALPHA, BETA = 0.8, 0.3
"""How far place and speed follow what was seen: boxes of detectors jitter little, so mostly."""


@dataclass
class Track:
    """A face that was seen lately, and where it goes."""

    number: int
    box: Box
    seen: float
    """Seconds."""
    speed: tuple[float, float] = (0.0, 0.0)
    """Of the centre, in pixels a second."""

    def predict(self, seconds: float) -> Box:
        """Where the box should be now."""
        ahead = seconds - self.seen
        return (self.box[0] + self.speed[0] * ahead, self.box[1] + self.speed[1] * ahead, *self.box[2:])

    def follow(self, box: Box, seconds: float) -> None:
        """Take in a new sight of the face."""
        ahead = max(seconds - self.seen, 1e-3)
        expected, found = _centre(self.predict(seconds)), _centre(box)
        missed_x, missed_y = found[0] - expected[0], found[1] - expected[1]
        self.speed = self.speed[0] + BETA * missed_x / ahead, self.speed[1] + BETA * missed_y / ahead
        x, y = expected[0] + ALPHA * missed_x, expected[1] + ALPHA * missed_y
        self.box = (x - box[2] / 2, y - box[3] / 2, box[2], box[3])
        self.seen = seconds


class Tracker:
    """The tracks of one source. Numbers begin at 1 and are never given twice."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._last = 0

    def forget(self) -> None:
        """End every track, since what comes has nothing to do with what was."""
        self._tracks = []

    def update(self, boxes: Sequence[Box], seconds: float) -> list[int]:
        """The track of each box of the frame at `seconds`, in the order of the boxes."""
        self._tracks = [track for track in self._tracks if seconds - track.seen <= LIFE_SECONDS]
        tracks = dict(enumerate(self._tracks))
        predicted = {place: track.predict(seconds) for place, track in tracks.items()}
        pairs: dict[int, int] = {}
        for fits in (overlap, nearness):
            free_boxes = [index for index in range(len(boxes)) if index not in pairs]
            free_tracks = [place for place in tracks if place not in pairs.values()]
            pairs |= _best_first(
                (fits(predicted[place], boxes[index]), index, place) for index in free_boxes for place in free_tracks
            )
        numbers = []
        for index, box in enumerate(boxes):
            if index in pairs:
                tracks[pairs[index]].follow(box, seconds)
                numbers.append(tracks[pairs[index]].number)
            else:
                numbers.append(self._begin(box, seconds))
        return numbers

    def _begin(self, box: Box, seconds: float) -> int:
        self._last += 1
        self._tracks.append(Track(self._last, box, seconds))
        return self._last


Fit = Callable[[Box, Box], float]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union; 0 under `MIN_OVERLAP`."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    share = across * down / (one[2] * one[3] + other[2] * other[3] - across * down)
    return share if share >= MIN_OVERLAP else 0.0


def nearness(one: Box, other: Box) -> float:
    """1 where the centres meet, 0 from `MAX_DISTANCE` on or where one box is much larger than the other."""
    sides = max(one[2:]), max(other[2:])
    if max(sides) > MAX_GROWTH * min(sides):
        return 0.0
    (x0, y0), (x1, y1) = _centre(one), _centre(other)
    distance = math.hypot(x0 - x1, y0 - y1) / max(sides)
    return max(0.0, 1 - distance / MAX_DISTANCE)


def _best_first(fits: Iterable[tuple[float, int, int]]) -> dict[int, int]:
    """Box -> track, each at most once, the best fits first."""
    pairs: dict[int, int] = {}
    for fit, index, place in sorted(fits, reverse=True):
        if fit > 0 and index not in pairs and place not in pairs.values():
            pairs[index] = place
    return pairs


def _centre(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2
