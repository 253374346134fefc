"""Frames as viewers see them: hidden, drawn and encoded once for each variant, however many watch it."""

import asyncio
import json
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from api_gateway import overlay, pictures
from api_gateway.captions import Captions
from api_gateway.frames import Frame, Frames, scaled
from api_gateway.hiding import hide
from api_gateway.overlay import Label
from contract.judgement import Judgement
from contract.messages import Box, FrameHeader
from contract.product import Blur

WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)
"""Viewers may ask for any width and get one of these, so that there is a bound on what is made of one frame."""
MOST_KEPT = 64
LOST_SECONDS = 1.0
"""A face that the detector misses for a moment stays hidden where it was."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What is made of a frame."""

    width: int | None = None
    """Of the picture, at most; None: as it comes."""
    blur: Blur = "off"
    drawn: bool = True
    """Whether boxes and labels are drawn."""

    @classmethod
    def asked(cls, width: int | None, blur: Blur, *, drawn: bool = True) -> Self:
        """The variant that serves this wish: the widest of `WIDTHS` that is no wider than asked."""
        return cls(max((w for w in WIDTHS if w <= width), default=WIDTHS[0]) if width else None, blur, drawn)


@dataclass(frozen=True, slots=True)
class Print:
    """A frame in one variant."""

    jpeg: bytes
    told: str = ""
    """Which frame it is, its faces and what was read of them, as JSON; empty where the picture shows no frame."""


class Prints:
    """Makes the pictures, each once.

    Args:
        frames: those of the last seconds.
        captions: what was read of them.
        quality: of the JPEGs, 1 to 100.
    """

    def __init__(self, frames: Frames, captions: Captions, quality: int) -> None:
        self._frames = frames
        self._captions = captions
        self._quality = quality
        self._shared: OrderedDict[tuple[str, Variant], tuple[int, asyncio.Task[Print]]] = OrderedDict()
        self.encoded: Counter[str] = Counter()
        """By source: the pictures that were encoded so far."""

    async def of(self, frame: Frame, variant: Variant) -> Print:
        """The frame in this variant.

        Raises:
            PictureError: the frame holds no picture.
        """
        if variant.width and variant.width >= frame.header.width:
            variant = replace(variant, width=None)  # pictures are not enlarged
        place = frame.header.source, variant
        shared = self._shared.get(place)
        if shared is None or shared[0] != frame.number:
            shared = frame.number, asyncio.create_task(self._make(frame, variant))
            self._shared[place] = shared
            self._shared.move_to_end(place)
            if len(self._shared) > MOST_KEPT:
                self._shared.popitem(last=False)
        return await asyncio.shield(shared[1])  # a viewer that leaves must not take the picture from the others

    async def _make(self, frame: Frame, variant: Variant) -> Print:
        header = frame.header
        hidden = self._hidden(frame) if variant.blur != "off" else []
        judgements = await self._captions.of(header)
        told = _told(header, judgements)
        labels = [_label(face.box, judgements.get(face.track)) for face in header.faces] if variant.drawn else []
        if not (labels or hidden or variant.width):
            return Print(frame.jpeg, told)
        self.encoded[header.source] += 1
        return Print(await asyncio.to_thread(self._encode, frame, variant, hidden, labels), told)

    def _hidden(self, frame: Frame) -> list[Box]:
        """The boxes of this frame's faces, and where those were that the detector missed since a moment ago."""
        boxes = {face.track: face.box for face in frame.header.faces}
        for earlier in self._frames.before(frame, LOST_SECONDS):
            boxes = {face.track: face.box for face in earlier.header.faces} | boxes
        return list(boxes.values())

    def _encode(self, frame: Frame, variant: Variant, hidden: list[Box], labels: list[Label]) -> bytes:
        picture = pictures.decode(frame.jpeg)
        if variant.width:
            picture = pictures.narrowed(picture, variant.width)
        scale = frame.scale(picture)
        hide(picture, [scaled(box, scale) for box in hidden], variant.blur)
        overlay.draw(picture, [replace(label, box=scaled(label.box, scale)) for label in labels])
        return pictures.encode(picture, self._quality)


def _label(box: Box, judgement: Judgement | None) -> Label:
    if judgement is None:
        return Label(box)
    return Label(box, judgement.words, judgement.confidence, certain=judgement.certain)


def _told(header: FrameHeader, judgements: Mapping[int, Judgement]) -> str:
    """Boxes are in pixels of the frame as it was captured, whatever the picture's size."""
    faces = []
    for face in header.faces:
        told: dict[str, Any] = {"track": face.track, "box": [round(number, 1) for number in face.box]}
        if judgement := judgements.get(face.track):
            told |= {"emotion": judgement.emotion, "between": judgement.between, "confidence": judgement.confidence}
        faces.append(told)
    known = header.model_dump(include={"source", "epoch", "frame", "captured_ms", "width", "height"})
    return json.dumps(known | {"faces": faces}, separators=(",", ":"))
