"""Tracks: the same face over consecutive frames of a source.

The method is SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016): each track predicts where its box is,
and the predictions are paired with the detections by their overlap. Two of its parts are simpler here. The Kalman
filter is its steady state for constant velocity, the alpha-beta filter, which needs no matrices. And pairs are taken
best first instead of by the Hungarian method: the two differ only where boxes of several people overlap strongly, which
faces, unlike whole bodies, hardly do. As in ByteTrack (Zhang et al., 2022) a second round pairs what the first left
over by a milder rule, here nearness, so that a jump of less than a face's width keeps its track. A third round is for
people who passed behind others: a face that comes out from behind another is the one that went there. If several did,
or it comes out elsewhere, its look tells, as in DeepSORT (Wojke et al., 2017), but with a few pixels in the place of
its network: see `look`.

No library: those that track (norfair, supervision, boxmot) bring SciPy or PyTorch for these hundred lines.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from capture_service.faces.appearance import Look, likeness
from capture_service.faces.track import LIFE_SECONDS, Track, centre
from contract.messages import Box

MIN_OVERLAP = 0.2
MAX_DISTANCE = 1.0
"""Between centres, in sides of the larger box, in the second round."""
MAX_GROWTH = 2.0
ALIKE = 0.7
"""Of 25 pairs of sights of one face within 2.5 s about 19 are more alike, of two faces hardly one in 100."""
STRIDES = 3.0
"""How far a hidden face can come in a second, in sides of its box."""
CLOSE = 0.5
"""Between two boxes, in sides of the larger: heads are wider than boxes, so one may hide the other."""
COMES_OUT = 1.0
"""The same for a face that comes out from behind another: it is seen a little later than it could be."""


class Tracker:
    """The tracks of one source. Numbers begin at 1 and are never given twice."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._last = 0

    def forget(self) -> None:
        """End every track, since what comes has nothing to do with what was."""
        self._tracks = []

    def update(self, boxes: Sequence[Box], seconds: float, looks: Sequence[Look] | None = None) -> list[int]:
        """The track of each box of the frame at `seconds`, in the order of the boxes.

        Args:
            boxes: of the faces of the frame.
            seconds: when it was taken, on any clock that never goes back.
            looks: of the same faces; without them nobody is known again who was hidden.
        """
        self._tracks = [track for track in self._tracks if track.lives(seconds)]
        pairs = self._pairs(boxes, seconds, looks)
        found = [pairs.get(index) or self._begin(box, seconds) for index, box in enumerate(boxes)]
        for index, (box, track) in enumerate(zip(boxes, found, strict=True)):
            beside = frozenset(found[other].number for other in _beside(index, boxes, CLOSE))
            track.follow(box, seconds, looks[index] if looks is not None else None, beside)
        return [track.number for track in found]

    def _pairs(self, boxes: Sequence[Box], seconds: float, looks: Sequence[Look] | None) -> dict[int, Track]:
        """Box -> its track, for those that have one."""
        pairs: dict[int, Track] = {}
        predicted = {track.number: track.predict(seconds) for track in self._tracks}

        def by(fits: Callable[[Box, Box], float]) -> Fit:
            return lambda index, track: (
                fits(predicted[track.number], boxes[index]) if seconds - track.seen <= LIFE_SECONDS else 0.0
            )

        def by_hiding(index: int, track: Track) -> float:
            if not track.beside or not _reaches(track, boxes[index], seconds):
                return 0.0
            if looks is not None and track.look is not None and (alike := likeness(track.look, looks[index])) >= ALIKE:
                return 1 + alike
            hiders = {pairs[other].number for other in _beside(index, boxes, COMES_OUT) if other in pairs}
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
    """Whether a face that was hidden can be this one now."""
    near = MAX_DISTANCE + STRIDES * (seconds - track.seen)
    return not _grown(track.box, box) and _distance(track.box, box) <= near


def _beside(index: int, boxes: Sequence[Box], gap: float) -> list[int]:
    """The other boxes with no more than this gap, in sides of the larger, to this one."""
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
