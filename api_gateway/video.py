"""The video of a source with boxes and labels: made once a frame, while somebody watches, for all viewers together."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

from api_gateway import overlay, pictures
from api_gateway.frames import Frame
from api_gateway.overlay import Label
from api_gateway.sight import Sight
from contract.errors import PictureError
from contract.messages import FrameFace, SourceStatus

PLACEHOLDER_SECONDS = 1.0
SLOW_FRAMES = 3
"""A source that sends rarely gets the time of so many of its frames before its video counts as missing."""


class Video:
    """Pictures for viewers. Each gets the newest, however slowly it takes them."""

    def __init__(self, sight: Sight, quality: int) -> None:
        self._sight = sight
        self._quality = quality
        self._shared: dict[str, tuple[object, asyncio.Task[bytes]]] = {}
        self.rendered = 0
        """Pictures made so far."""

    async def pictures(self, source: str | None) -> AsyncGenerator[bytes, None]:
        """JPEGs of this source, or of the first camera, as they come; about once a second a placeholder if none do."""
        while True:
            shown = source or self._sight.registry.chosen(None)
            if shown is None:
                yield await self._share(
                    "", "no source", self._placeholder("no source yet", "waiting for a capture", None)
                )
                await asyncio.sleep(PLACEHOLDER_SECONDS)
                continue
            async with aclosing(self._pictures_of(shown)) as pictures_of_one:
                async for picture in pictures_of_one:
                    yield picture
                    if source is None and self._status(shown) is None:
                        break  # whoever named no source gets the next one

    async def _pictures_of(self, source: str) -> AsyncGenerator[bytes, None]:
        last = 0
        with self._sight.frames.wanted(source):
            while True:
                status = self._status(source)
                if status is None or status.state != "ONLINE":
                    yield await self._missing(source, status)
                    await asyncio.sleep(PLACEHOLDER_SECONDS)
                elif frame := await self._sight.frames.after(source, last, _patience(status)):
                    last = frame.number
                    yield await self._share(source, last, self._render(frame))
                else:
                    yield await self._missing(source, status)

    def _status(self, source: str) -> SourceStatus | None:
        return next((status for status in self._sight.registry.sources() if status.name == source), None)

    async def _share(self, source: str, shows: object, making: Coroutine[Any, Any, bytes]) -> bytes:
        """The picture that `making` gives, made once for all who ask for the same."""
        shared = self._shared.get(source)
        if shared and shared[0] == shows:
            making.close()
            task = shared[1]
        else:
            task = asyncio.create_task(making)
            self._shared[source] = shows, task
        return await asyncio.shield(task)  # a viewer that leaves must not take the picture from the others

    async def _missing(self, source: str, status: SourceStatus | None) -> bytes:
        if status is None:
            state, reason = "UNKNOWN", "it is not among the sources now"
        elif status.state == "ONLINE":
            state, reason = "NO VIDEO", "online, but no frames arrive"
        else:
            state, reason = status.state, status.reason or "no reason given"
        return await self._share(source, (state, reason), self._placeholder(f"{source}: {state}", reason, status))

    async def _placeholder(self, title: str, reason: str, status: SourceStatus | None) -> bytes:
        width, height = (status.width, status.height) if status and status.width else (640, 360)
        return await asyncio.to_thread(self._draw_placeholder, title, reason, min(width, 1280), min(height, 1280))

    def _draw_placeholder(self, title: str, reason: str, width: int, height: int) -> bytes:
        return pictures.encode(overlay.placeholder(title, reason, width, height), self._quality)

    async def _render(self, frame: Frame) -> bytes:
        self.rendered += 1
        labels = [self._label(frame, face) for face in frame.header.faces]
        if not labels:
            return frame.jpeg
        return await asyncio.to_thread(self._draw, frame.jpeg, labels)

    def _label(self, frame: Frame, face: FrameFace) -> Label:
        track = self._sight.face((frame.header.source, frame.header.epoch, face.track))
        if track is None:
            return Label(face.box)
        judgement = track.judgement
        return Label(face.box, judgement.words, judgement.confidence, certain=judgement.certain)

    def _draw(self, jpeg: bytes, labels: list[Label]) -> bytes:
        try:
            picture = pictures.decode(jpeg)
        except PictureError as error:
            return self._draw_placeholder("damaged frame", str(error), 640, 360)
        overlay.draw(picture, labels)
        return pictures.encode(picture, self._quality)


def _patience(status: SourceStatus) -> float:
    return max(PLACEHOLDER_SECONDS, SLOW_FRAMES / status.fps) if status.fps > 0 else PLACEHOLDER_SECONDS
