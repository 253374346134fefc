"""Frames as viewers see them: anonymised, annotated and encoded once for each variant, for any number of viewers."""

import asyncio
import json
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, get_args

import structlog

from api_gateway.video.annotations import FrameAnnotations
from api_gateway.video.frame_buffer import Frame, FrameBuffer
from contract.errors import PictureError
from contract.judgement import Judgement
from contract.messages import Box, FrameHeader
from contract.runtime_settings import Blur

logger = structlog.get_logger()
BOUNDARY = b"frame"
WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)
"""A request for any width gets one of these, which bounds the number of variants of one frame."""
MOST_KEPT = 64
LOST_SECONDS = 1.0
"""A face that the detector loses stays hidden at its last place for this long."""


@dataclass(frozen=True, slots=True)
class Variant:
    """How a frame is rendered."""

    width: int | None = None
    """Maximum width of the picture; None: as captured."""
    blur: Blur = "off"
    drawn: bool = True
    """Whether boxes and labels are drawn."""

    @classmethod
    def for_request(cls, width: int | None, blur: Blur, *, drawn: bool = True) -> Self:
        """The variant that serves a request: the widest of `WIDTHS` that is not wider than `width`."""
        return cls(max((w for w in WIDTHS if w <= width), default=WIDTHS[0]) if width else None, blur, drawn)

    def with_minimum_blur(self, minimum: Blur) -> "Variant":
        """The same variant, with faces hidden at least as `minimum` says (off < blur < mask)."""
        return replace(self, blur=max(self.blur, minimum, key=get_args(Blur).index))


@dataclass(frozen=True)
class RenderedFrame:
    """A frame in one variant, or a placeholder."""

    jpeg: bytes
    metadata: str = ""
    """Identity of the frame, its faces and their readings, as JSON; empty for a placeholder."""

    @cached_property
    def part(self) -> bytes:
        """The picture as a part of `multipart/x-mixed-replace` without its leading boundary, the same for all viewers.

        Browsers show a picture when the boundary behind it arrives, so the trailing boundary is included.
        """
        x_frame = b"X-Frame: %b\r\n" % self.metadata.encode() if self.metadata else b""
        head = b"Content-Type: image/jpeg\r\n%bContent-Length: %d\r\n\r\n" % (x_frame, len(self.jpeg))
        return b"%b%b\r\n--%b\r\n" % (head, self.jpeg, BOUNDARY)


class FrameRenderer:
    """Renders each frame once for each variant.

    Args:
        frames: those of the last seconds.
        annotations: the readings of their faces.
        quality: of the JPEGs, 1 to 100.
    """

    def __init__(self, frames: FrameBuffer, annotations: FrameAnnotations, quality: int) -> None:
        self._frames = frames
        self._annotations = annotations
        self._quality = quality
        self._tasks: OrderedDict[tuple[str, Variant], tuple[int, asyncio.Task[RenderedFrame]]] = OrderedDict()
        """By source and variant: the number of the newest frame, and its rendering, which all viewers share."""
        self.encoded: Counter[str] = Counter()
        """By source: the number of pictures encoded so far."""

    async def render(self, frame: Frame, variant: Variant) -> RenderedFrame:
        """The frame in this variant.

        Raises:
            PictureError: the frame holds no picture.
        """
        if variant.width and variant.width >= frame.header.width:
            variant = replace(variant, width=None)  # pictures are not enlarged
        key = frame.header.source, variant
        number, task = self._tasks.get(key, (None, None))
        if task is None or number != frame.number:
            task = asyncio.create_task(self._render(frame, variant))
            task.add_done_callback(_retrieve_exception)
            self._tasks[key] = frame.number, task
            self._tasks.move_to_end(key)
            if len(self._tasks) > MOST_KEPT:
                self._tasks.popitem(last=False)
        return await asyncio.shield(task)  # a viewer that leaves must not cancel it for the others

    async def _render(self, frame: Frame, variant: Variant) -> RenderedFrame:
        header = frame.header
        hidden = self._hidden(frame) if variant.blur != "off" else []
        judgements = await self._annotations.of_frame(header)
        metadata = _metadata(header, judgements)
        labelled = [(face.box, judgements.get(face.track)) for face in header.faces] if variant.drawn else []
        if not (labelled or hidden or variant.width):
            return RenderedFrame(frame.jpeg, metadata)
        self.encoded[header.source] += 1
        return RenderedFrame(await asyncio.to_thread(self._draw, frame, variant, hidden, labelled), metadata)

    def _hidden(self, frame: Frame) -> list[Box]:
        """The boxes of this frame's faces, and the last boxes of faces that the detector has just lost."""
        boxes = {face.track: face.box for face in frame.header.faces}
        for earlier in self._frames.before(frame, LOST_SECONDS):
            boxes = {face.track: face.box for face in earlier.header.faces} | boxes
        return list(boxes.values())

    def _draw(
        self, frame: Frame, variant: Variant, hidden: list[Box], labelled: list[tuple[Box, Judgement | None]]
    ) -> bytes:
        from api_gateway.video.drawing import render_frame

        return render_frame(
            frame, self._quality, width=variant.width, blur=variant.blur, hidden=hidden, labelled=labelled
        )


def _retrieve_exception(task: asyncio.Task[RenderedFrame]) -> None:
    """Viewers that wait get the exception, too; if all have left, nobody else would retrieve it."""
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, PictureError):
        logger.error("a frame could not be rendered", exc_info=error)


def _metadata(header: FrameHeader, judgements: Mapping[int, Judgement]) -> str:
    """Boxes are in pixels of the captured frame, whatever the picture's size."""
    faces = []
    for face in header.faces:
        entry: dict[str, Any] = {"track": face.track, "box": [round(number, 1) for number in face.box]}
        if judgement := judgements.get(face.track):
            entry |= {"emotion": judgement.emotion, "between": judgement.between, "confidence": judgement.confidence}
        faces.append(entry)
    identity = header.model_dump(include={"source", "epoch", "frame", "captured_ms", "width", "height"})
    return json.dumps(identity | {"faces": faces}, separators=(",", ":"))
