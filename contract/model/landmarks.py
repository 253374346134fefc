"""Where eyes and mouth are; kept apart from `framing`, so that a process that loads no OpenCV can know of them."""

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Points of a face in pixels of the picture; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    mouth: Point
