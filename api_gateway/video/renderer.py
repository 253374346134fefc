"""Frames as viewers see them: hidden, drawn and encoded once for each variant, however many watch it."""

import asyncio
import json
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, get_args

from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import Frame, FrameBuffer
from contract.judgement import Judgement
from contract.messages import Box, FrameHeader
from contract.runtime_settings import Blur

BOUNDARY = b"frame"
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

    def hiding(self, least: Blur) -> "Variant":
        """The same with faces hidden at least so (off < blur < mask)."""
        return replace(self, blur=max(self.blur, least, key=get_args(Blur).index))


@dataclass(frozen=True)
class RenderedFrame:
    """A frame in one variant."""

    jpeg: bytes
    told: str = ""
    """Which frame it is, its faces and what was read of them, as JSON; empty where the picture shows no frame."""

    @cached_property
    def part(self) -> bytes:
        """The picture as a part of `multipart/x-mixed-replace` but the boundary before it, the same for all viewers.

        Browsers show a picture when the boundary behind it arrives, so that is sent with the picture.
        """
        told = b"X-Frame: %b\r\n" % self.told.encode() if self.told else b""
        head = b"Content-Type: image/jpeg\r\n%bContent-Length: %d\r\n\r\n" % (told, len(self.jpeg))
        return b"%b%b\r\n--%b\r\n" % (head, self.jpeg, BOUNDARY)


class FrameRenderer:
    """Makes the pictures, each once.

    Args:
        frames: those of the last seconds.
        captions: what was read of them.
        quality: of the JPEGs, 1 to 100.
    """

    def __init__(self, frames: FrameBuffer, captions: FrameAnnotations, quality: int) -> None:
        self._frames = frames
        self._captions = captions
        self._quality = quality
        self._shared: OrderedDict[tuple[str, Variant], tuple[int, asyncio.Task[RenderedFrame]]] = OrderedDict()
        self.encoded: Counter[str] = Counter()
        """By source: the pictures that were encoded so far."""

    async def of(self, frame: Frame, variant: Variant) -> RenderedFrame:
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

    async def _make(self, frame: Frame, variant: Variant) -> RenderedFrame:
        header = frame.header
        hidden = self._hidden(frame) if variant.blur != "off" else []
        judgements = await self._captions.of(header)
        told = _told(header, judgements)
        labelled = [(face.box, judgements.get(face.track)) for face in header.faces] if variant.drawn else []
        if not (labelled or hidden or variant.width):
            return RenderedFrame(frame.jpeg, told)
        self.encoded[header.source] += 1
        return RenderedFrame(await asyncio.to_thread(self._develop, frame, variant, hidden, labelled), told)

    def _hidden(self, frame: Frame) -> list[Box]:
        """The boxes of this frame's faces, and where those were that the detector missed since a moment ago."""
        boxes = {face.track: face.box for face in frame.header.faces}
        for earlier in self._frames.before(frame, LOST_SECONDS):
            boxes = {face.track: face.box for face in earlier.header.faces} | boxes
        return list(boxes.values())

    def _develop(
        self, frame: Frame, variant: Variant, hidden: list[Box], labelled: list[tuple[Box, Judgement | None]]
    ) -> bytes:
        from api_gateway.video.drawing import render_frame

        return render_frame(
            frame, self._quality, width=variant.width, blur=variant.blur, hidden=hidden, labelled=labelled
        )


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
