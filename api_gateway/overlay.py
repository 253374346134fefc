"""Drawing on pictures: box, emotion and confidence of each face, and the placeholder where there is no picture."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from api_gateway.pictures import Picture
from contract.messages import Box

Colour = tuple[int, int, int]

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
"""BGR. A model may have any labels, so an emotion's colour comes from its spelling."""
SPREAD = 10607961
"""Such that the eight usual emotions get eight colours, and anger red."""
NEUTRAL: Colour = (190, 190, 190)
INK: Colour = (20, 20, 24)
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Label:
    """What is drawn round one face; without words only the box."""

    box: Box
    words: str | None = None
    """The emotion; or, if it is not certain, those that it may be."""
    confidence: float = 0.0
    """In percent."""
    certain: bool = True


def hue(emotion: str) -> int:
    """Which colour of the palette an emotion has; the page's module `palette.js` counts the same."""
    return (zlib.crc32(emotion.encode()) * SPREAD & 0xFFFFFFFF) >> 29


def draw(picture: Picture, labels: Iterable[Label]) -> None:
    """Draw the labels into the picture. Line width and letters follow its size, so that they are legible at any."""
    height, width = picture.shape[:2]
    scale = max(0.4, min(height, width * 0.75) / 720)
    for label in labels:
        colour = PALETTE[hue(label.words)] if label.words and label.certain else NEUTRAL
        left, top, right, bottom = _corners(label.box, width, height)
        cv2.rectangle(picture, (left, top), (right, bottom), colour, max(2, round(3 * scale)), cv2.LINE_AA)
        if label.words:
            words = f"{label.words} {label.confidence:.0f}%" if label.certain else f"{label.words}?"
            _write(picture, words, (left, top, bottom), colour, scale)


def placeholder(title: str, reason: str, width: int, height: int) -> Picture:
    """A dark picture that says in two lines why there is no video."""
    width, height = max(width, 320), max(height, 180)
    picture = np.full((height, width, 3), (36, 30, 28), np.uint8)
    middle = height // 2
    _centred(picture, title, middle, height / 400, (235, 235, 235))
    _centred(picture, reason, middle + round(height * 0.12), height / 700, (165, 160, 155))
    return picture


def _corners(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Clipped to the picture: OpenCV's drawing takes no numbers of any size."""
    left, top = min(max(box[0], 0), width - 1), min(max(box[1], 0), height - 1)
    right, bottom = min(max(box[0] + box[2], left), width - 1), min(max(box[1] + box[3], top), height - 1)
    return round(left), round(top), round(right), round(bottom)


def _write(picture: Picture, text: str, at: tuple[int, int, int], colour: Colour, scale: float) -> None:
    """Dark letters on the box's colour, above the box; below it where there is no room, inside at worst."""
    height, width = picture.shape[:2]
    size, thickness = 0.9 * scale, max(1, round(2 * scale))
    (wide, high), base = cv2.getTextSize(text, FONT, size, thickness)
    pad = max(3, round(5 * scale))
    tall = high + base + 2 * pad
    left, top, bottom = at
    x = max(0, min(left, width - wide - 2 * pad))
    y = top - tall
    if y < 0:
        y = bottom if bottom + tall <= height else top
    cv2.rectangle(picture, (x, y), (x + wide + 2 * pad, y + tall), colour, cv2.FILLED)
    cv2.putText(picture, text, (x + pad, y + pad + high), FONT, size, INK, thickness, cv2.LINE_AA)


def _centred(picture: Picture, text: str, y: int, scale: float, colour: Colour) -> None:
    width = picture.shape[1]
    thickness = max(1, round(2 * scale))
    (wide, _), _ = cv2.getTextSize(text, FONT, scale, thickness)
    scale *= min(1.0, 0.92 * width / max(wide, 1))
    (wide, _), _ = cv2.getTextSize(text, FONT, scale, thickness)
    cv2.putText(picture, text, ((width - wide) // 2, y), FONT, scale, colour, thickness, cv2.LINE_AA)
