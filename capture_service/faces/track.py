"""A track: one face over consecutive frames, with its motion and appearance."""

from dataclasses import dataclass

from capture_service.faces.appearance import AppearanceVector, blend
from contract.messages import Box

TTL_SECONDS = 1.0
"""How long a track lives without its face."""
HIDDEN_SECONDS = 3.0
"""How long it lives if its face may be behind another one."""
ALPHA, BETA = 0.8, 0.3
"""How far place and speed follow the detected box, whose jitter is small."""
CROWDED_BETA = 0.05
"""Next to another face, which may hide a part of this one, the box narrows and seems to stop."""


@dataclass(eq=False)
class Track:
    """A face that was seen lately, and its motion."""

    number: int
    box: Box
    seen: float
    """Seconds."""
    speed: tuple[float, float] = (0.0, 0.0)
    """Of the centre, in pixels a second."""
    appearance: AppearanceVector | None = None
    """As seen while no other face was close."""
    beside: frozenset[int] = frozenset()
    """The tracks that were close when it was last seen; it may be behind one of them now."""

    def lives(self, seconds: float) -> bool:
        return seconds - self.seen <= (HIDDEN_SECONDS if self.beside else TTL_SECONDS)

    def predict(self, seconds: float) -> Box:
        """Where the box should be now."""
        ahead = seconds - self.seen
        return (self.box[0] + self.speed[0] * ahead, self.box[1] + self.speed[1] * ahead, *self.box[2:])

    def follow(self, box: Box, seconds: float, appearance: AppearanceVector | None, beside: frozenset[int]) -> None:
        """Update the track with its face in a new frame."""
        ahead = max(seconds - self.seen, 1e-3)
        expected, found = centre(self.predict(seconds)), centre(box)
        missed_x, missed_y = found[0] - expected[0], found[1] - expected[1]
        beta = CROWDED_BETA if beside else BETA
        self.speed = self.speed[0] + beta * missed_x / ahead, self.speed[1] + beta * missed_y / ahead
        x, y = expected[0] + ALPHA * missed_x, expected[1] + ALPHA * missed_y
        self.box = (x - box[2] / 2, y - box[3] / 2, box[2], box[3])
        self.seen, self.beside = seconds, beside
        if appearance is not None and not beside:
            self.appearance = appearance if self.appearance is None else blend(self.appearance, appearance)


def centre(box: Box) -> tuple[float, float]:
    """The middle of a box."""
    return box[0] + box[2] / 2, box[1] + box[3] / 2
