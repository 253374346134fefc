"""The landmarks of a face; apart from `framing`, so that importing them does not import OpenCV."""

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Eyes and mouth of a face, in pixels of the picture; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    mouth: Point
