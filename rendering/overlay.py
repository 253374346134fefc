"""Draws box, emotion and confidence of each face, and the placeholder for a missing picture."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from contract.messages import Box
from rendering.images import Picture

Colour = tuple[int, int, int]
Corners = tuple[int, int, int, int]
"""Left, top, right, bottom."""

PALETTE: tuple[Colour, ...] = (
    (92, 92, 240),
    (224, 120, 182),
    (46, 181, 245),
    (235, 160, 70),
    (74, 194, 108),
    (191, 191, 63),
    (70, 140, 245),
    (200, 120, 240),
)
"""BGR. A model may have any labels, so the colour of an emotion is computed from its name."""
SPREAD = 10607961
"""Chosen so that the eight usual emotions get eight colours, and anger red."""
NEUTRAL: Colour = (190, 190, 190)
INK: Colour = (20, 20, 24)
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class BoxLabel:
    """The box and the words of one face; without words only the box is drawn."""

    box: Box
    words: str | None = None
    """The emotion; if it is not certain, the candidates."""
    confidence: float = 0.0
    """In percent."""
    certain: bool = True


def hue(emotion: str) -> int:
    """The index of an emotion's colour in the palette; the page's module `palette.js` computes the same."""
    return (zlib.crc32(emotion.encode()) * SPREAD & 0xFFFFFFFF) >> 29


def draw(picture: Picture, labels: Iterable[BoxLabel]) -> None:
    """Draw the labels; changes the picture. Line width and letters follow the size of the picture.

    The words of a face are placed where they cover as little as possible of the others.
    """
    height, width = picture.shape[:2]
    scale = max(0.4, min(height, width * 0.75) / 720)
    drawn = [(label, _corners(label.box, width, height)) for label in labels]
    for label, corners in drawn:
        thickness = max(2, round(3 * scale))
        cv2.rectangle(picture, corners[:2], corners[2:], _colour(label), thickness, cv2.LINE_AA)
    taken = [corners for _, corners in drawn]
    for label, corners in drawn:
        if label.words:
            words = f"{label.words} {label.confidence:.0f}%" if label.certain else f"{label.words}?"
            others = [one for one in taken if one != corners]
            taken.append(_write(picture, words, corners, others, _colour(label), scale))


def _colour(label: BoxLabel) -> Colour:
    return PALETTE[hue(label.words)] if label.words and label.certain else NEUTRAL


def placeholder(title: str, reason: str, width: int, height: int) -> Picture:
    """A dark picture that states in two lines why there is no video."""
    width, height = max(width, 320), max(height, 180)
    picture = np.full((height, width, 3), (36, 30, 28), np.uint8)
    middle = height // 2
    _centred(picture, title, middle, height / 400, (235, 235, 235))
    _centred(picture, reason, middle + round(height * 0.12), height / 700, (165, 160, 155))
    return picture


def _corners(box: Box, width: int, height: int) -> Corners:
    """Clipped to the picture, since OpenCV's drawing does not accept numbers of any size."""
    left, top = min(max(box[0], 0), width - 1), min(max(box[1], 0), height - 1)
    right, bottom = min(max(box[0] + box[2], left), width - 1), min(max(box[1] + box[3], top), height - 1)
    return round(left), round(top), round(right), round(bottom)


def _write(picture: Picture, text: str, face: Corners, others: list[Corners], colour: Colour, scale: float) -> Corners:
    """Draw dark letters on the box's colour; returns their place."""
    height, width = picture.shape[:2]
    size, thickness = 0.9 * scale, max(1, round(2 * scale))
    (wide, high), base = cv2.getTextSize(text, FONT, size, thickness)
    pad = max(3, round(5 * scale))
    wide, tall = wide + 2 * pad, high + base + 2 * pad
    x, y = _place(face, (wide, tall), (width, height), others)
    cv2.rectangle(picture, (x, y), (x + wide, y + tall), colour, cv2.FILLED)
    cv2.putText(picture, text, (x + pad, y + pad + high), FONT, size, INK, thickness, cv2.LINE_AA)
    return x, y, x + wide, y + tall


def _place(face: Corners, size: tuple[int, int], picture: tuple[int, int], others: list[Corners]) -> tuple[int, int]:
    """Above the box or below it, aligned with its left or right edge; inside it where there is no room."""
    (left, top, right, bottom), (wide, tall), (width, height) = face, size, picture
    sides = [max(0, min(x, width - wide)) for x in (left, right - wide)]
    outside = [(x, y) for y in (top - tall, bottom) for x in sides if 0 <= y <= height - tall]
    places = outside or [(sides[0], top)]
    return min(places, key=lambda at: sum(_shared((*at, at[0] + wide, at[1] + tall), other) for other in others))


def _shared(one: Corners, other: Corners) -> int:
    """The area of the intersection."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, wide) * max(0, high)


def _centred(picture: Picture, text: str, y: int, scale: float, colour: Colour) -> None:
    width = picture.shape[1]
    thickness = max(1, round(2 * scale))
    (wide, _), _ = cv2.getTextSize(text, FONT, scale, thickness)
    scale *= min(1.0, 0.92 * width / max(wide, 1))
    (wide, _), _ = cv2.getTextSize(text, FONT, scale, thickness)
    cv2.putText(picture, text, ((width - wide) // 2, y), FONT, scale, colour, thickness, cv2.LINE_AA)
