"""Two people who pass each other, composed from two real portraits, in variations."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from capture_service import detectors
from capture_service.demo.make_clip import place, portraits
from capture_service.faces.pipeline import FaceFinder
from contract.messages import Box

WIDTH, HEIGHT, FPS = 640, 480, 15
BACKGROUND = (150, 140, 128)
APART = 120
"""Distance in pixels below which it is not clear whose face a box surrounds."""


@dataclass(frozen=True)
class Crossing:
    """How they pass."""

    seconds: float
    """From one side to the other."""
    nearer: float
    """Height of the one in front, in pixels; she or he hides the other in the middle."""
    farther: float
    lower: float
    """How much lower the head of the one in front is, in pixels."""
    noise: float
    """Standard deviation, of 255."""
    swapped: bool
    """Who of the two is in front."""
    pause: float = 0.0
    """Seconds for which both stand still where they meet."""
    fps: float = FPS

    def frames(self) -> Iterator[tuple[float, np.ndarray, tuple[tuple[float, float], tuple[float, float]]]]:
        """Time, picture, and the middles of the heads of the one in front and the one behind."""
        front, behind = portraits()[:: -1 if self.swapped else 1]
        grain = np.random.default_rng(7).normal(0, self.noise, (HEIGHT, WIDTH, 3)).astype(np.float32)
        for number in range(round((self.seconds + self.pause) * self.fps)):
            seconds = number / self.fps
            way = self._way(seconds)
            left, right = 110 + 420 * way, 530 - 420 * way
            canvas = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.float32)
            far, near = (right, 230.0), (left, 230.0 + self.lower)
            place(canvas, behind, far, self.farther)
            place(canvas, front, near, self.nearer)
            canvas += np.roll(grain, 7919 * number)
            yield seconds, np.clip(canvas, 0, 255).astype(np.uint8), (near, far)

    def _way(self, seconds: float) -> float:
        half = self.seconds / 2
        if seconds < half:
            return seconds / self.seconds
        return 0.5 if seconds < half + self.pause else (seconds - self.pause) / self.seconds


def middle(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


VARIATIONS = [
    Crossing(seconds, nearer, farther, lower, noise, swapped, pause, fps)
    for seconds, nearer, farther, lower, noise, swapped, pause, fps in (
        (2.0, 260, 230, 0, 0, False, 0, 15),
        (2.0, 260, 230, 0, 0, True, 0, 15),
        (3.0, 260, 230, 0, 4, False, 0, 15),
        (3.0, 260, 230, 0, 4, True, 0, 15),
        (4.0, 240, 240, 0, 8, False, 0, 15),
        (4.0, 240, 240, 0, 8, True, 0, 15),
        (1.2, 260, 230, 10, 4, False, 0, 15),
        (1.2, 260, 230, 10, 4, True, 0, 15),
        (2.5, 300, 200, 20, 4, False, 0, 15),
        (2.5, 300, 200, 20, 4, True, 0, 15),
        (3.0, 250, 220, 50, 6, False, 0, 15),
        (3.0, 250, 220, 50, 6, True, 0, 15),
        (2.0, 240, 220, 90, 6, False, 0, 30),
        (2.0, 240, 220, 90, 6, True, 0, 30),
        (3.0, 260, 240, 5, 12, False, 0, 10),
        (3.0, 260, 240, 5, 12, True, 0, 10),
        (3.0, 260, 230, 15, 4, False, 0.6, 15),
        (3.0, 260, 230, 15, 4, True, 0.6, 15),
        (6.0, 250, 230, 30, 6, False, 0, 8),
        (6.0, 250, 230, 30, 6, True, 0, 8),
    )
]


def tracks_by_person(crossing: Crossing, faces: FaceFinder) -> tuple[set[int], set[int]]:
    """The tracks that the person in front had while both were seen apart, and those of the one behind."""
    faces.begin()
    front: set[int] = set()
    behind: set[int] = set()
    for seconds, picture, (near, far) in crossing.frames():
        found = faces.find(picture, seconds)
        if len(found) == 2 and math.dist(near, far) > APART:
            found.sort(key=lambda one: math.dist(middle(one.face.box), near) - math.dist(middle(one.face.box), far))
            front.add(found[0].face.track)
            behind.add(found[1].face.track)
    return front, behind


def stay(tracks: tuple[set[int], set[int]]) -> bool:
    """Whether each person had one track from beginning to end, and not the other's."""
    return [len(numbers) for numbers in tracks] == [1, 1] and tracks[0] != tracks[1]


def main() -> None:
    """Print how many of the variations are followed well: `python -m tests.crossing`."""
    faces = FaceFinder("crossing", detectors.load("blazeface"))
    held = [stay(tracks_by_person(crossing, faces)) for crossing in VARIATIONS]
    print(f"tracks stay with the person in {sum(held)} of {len(held)} crossings")


if __name__ == "__main__":
    main()
