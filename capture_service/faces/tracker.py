"""Tracks: the same face over consecutive frames of a source.

The method is SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016): each track predicts where its box is,
and the predictions are paired with the detections by their overlap. Two of its parts are simpler here. The Kalman
filter is replaced by its steady state for constant velocity, the alpha-beta filter, which needs no matrices. And pairs
are chosen best first instead of by the Hungarian method: the two differ only where boxes of several people overlap
strongly, which those of faces, unlike whole bodies, hardly do.

As in ByteTrack (Zhang et al., 2022) a second round pairs the rest by a milder rule, here nearness, so that a jump of
less than a face's width keeps its track. A third round is for people who passed behind others: a face that appears next
to another is the one that disappeared there. If several did, or it appears elsewhere, its appearance decides, as in
DeepSORT (Wojke et al., 2017), but by a few pixels instead of a network: see `appearance`.

No library: those that track (norfair, supervision, boxmot) bring SciPy or PyTorch for these hundred lines.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from capture_service.faces.appearance import AppearanceVector, correlation
from capture_service.faces.track import TTL_SECONDS, Track, centre
from contract.messages import Box

MIN_OVERLAP = 0.2
MAX_DISTANCE = 1.0
"""Between the centres in the second round, in sides of the larger box."""
MAX_GROWTH = 2.0
ALIKE = 0.7
"""Of 25 pairs of crops of one face within 2.5 s about 19 correlate more; of two faces hardly one in 100."""
STRIDES = 3.0
"""How far a hidden face can move in a second, in sides of its box."""
CLOSE = 0.5
"""Between two boxes, in sides of the larger: heads are wider than boxes, so one may hide the other."""
APPEARS = 1.0
"""The same for a face that appears from behind another: it is detected a little late."""


class Tracker:
    """The tracks of one source. Numbers begin at 1 and are never reused."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._last = 0

    def reset(self) -> None:
        """End every track: the next frame belongs to another scene."""
        self._tracks = []

    def update(
        self, boxes: Sequence[Box], seconds: float, appearances: Sequence[AppearanceVector] | None = None
    ) -> list[int]:
        """The track of each box of the frame at `seconds`, in the order of the boxes.

        Args:
            boxes: of the faces of the frame.
            seconds: when it was captured, on any clock that never goes back.
            appearances: of the same faces; without them a hidden face is found again by its place only.
        """
        self._tracks = [track for track in self._tracks if track.lives(seconds)]
        pairs = self._pairs(boxes, seconds, appearances)
        found = [pairs.get(index) or self._begin(box, seconds) for index, box in enumerate(boxes)]
        for index, (box, track) in enumerate(zip(boxes, found, strict=True)):
            beside = frozenset(found[other].number for other in _beside(index, boxes, CLOSE))
            track.follow(box, seconds, appearances[index] if appearances is not None else None, beside)
        return [track.number for track in found]

    def _pairs(
        self, boxes: Sequence[Box], seconds: float, appearances: Sequence[AppearanceVector] | None
    ) -> dict[int, Track]:
        """Box -> its track, for boxes that have one."""
        pairs: dict[int, Track] = {}
        predicted = {track.number: track.predict(seconds) for track in self._tracks}

        def by(fits: Callable[[Box, Box], float]) -> Fit:
            return lambda index, track: (
                fits(predicted[track.number], boxes[index]) if seconds - track.seen <= TTL_SECONDS else 0.0
            )

        def by_hiding(index: int, track: Track) -> float:
            if not track.beside or not _reaches(track, boxes[index], seconds):
                return 0.0
            if appearances is not None and track.appearance is not None:
                alike = correlation(track.appearance, appearances[index])
                if alike >= ALIKE:
                    return 1 + alike
            hiders = {pairs[other].number for other in _beside(index, boxes, APPEARS) if other in pairs}
            return 1 / (1 + _distance(predicted[track.number], boxes[index])) if hiders & track.beside else 0.0

        for fit in (by(overlap), by(nearness), by_hiding):
            free_boxes = [index for index in range(len(boxes)) if index not in pairs]
            free_tracks = [track for track in self._tracks if track not in pairs.values()]
            pairs |= _best_first([(fit(index, track), index, track) for index in free_boxes for track in free_tracks])
        return pairs

    def _begin(self, box: Box, seconds: float) -> Track:
        self._last += 1
        self._tracks.append(Track(self._last, box, seconds))
        return self._tracks[-1]


Fit = Callable[[int, Track], float]
"""How well a box (by index) and a track fit; 0: not at all."""


def overlap(one: Box, other: Box) -> float:
    """Intersection over union; 0 under `MIN_OVERLAP`."""
    common = _common(one, other)
    share = common / (one[2] * one[3] + other[2] * other[3] - common)
    return share if share >= MIN_OVERLAP else 0.0


def nearness(one: Box, other: Box) -> float:
    """1 where the centres meet, 0 from `MAX_DISTANCE` on or where one box is much larger than the other."""
    return 0.0 if _grown(one, other) else max(0.0, 1 - _distance(one, other) / MAX_DISTANCE)


def _reaches(track: Track, box: Box, seconds: float) -> bool:
    """Whether a hidden face can be this one now."""
    near = MAX_DISTANCE + STRIDES * (seconds - track.seen)
    return not _grown(track.box, box) and _distance(track.box, box) <= near


def _beside(index: int, boxes: Sequence[Box], gap: float) -> list[int]:
    """The other boxes with at most this gap to this one, in sides of the larger."""
    left, top, width, height = boxes[index]
    found = []
    for other, box in enumerate(boxes):
        margin = gap * max(width, height, *box[2:])
        grown = left - margin, top - margin, width + 2 * margin, height + 2 * margin
        if other != index and _common(grown, box) > 0:
            found.append(other)
    return found


def _common(one: Box, other: Box) -> float:
    """The area of the intersection."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _grown(one: Box, other: Box) -> bool:
    sides = max(one[2:]), max(other[2:])
    return max(sides) > MAX_GROWTH * min(sides)


def _distance(one: Box, other: Box) -> float:
    """Between the centres, in sides of the larger box."""
    (x0, y0), (x1, y1) = centre(one), centre(other)
    return math.hypot(x0 - x1, y0 - y1) / max(*one[2:], *other[2:])


def _best_first(fits: Iterable[tuple[float, int, Track]]) -> dict[int, Track]:
    """Box -> track, each at most once, the best fits first."""
    pairs: dict[int, Track] = {}
    for fit, index, track in sorted(fits, key=lambda one: one[0], reverse=True):
        if fit > 0 and index not in pairs and track not in pairs.values():
            pairs[index] = track
    return pairs
