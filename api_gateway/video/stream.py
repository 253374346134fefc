"""The video of a source as one viewer wants it: the newest frame, or a picture that says why there is none."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from api_gateway.errors import ApiError
from api_gateway.video.frame_buffer import Frame
from api_gateway.video.live_view import LiveView
from api_gateway.video.renderer import FrameRenderer, RenderedFrame, Variant
from contract.errors import PictureError
from contract.messages import SourceStatus
from contract.runtime_settings import Blur

PLACEHOLDER_SECONDS = 1.0
SLOW_FRAMES = 3
"""A source that sends rarely gets the time of so many of its frames before its video counts as missing."""
STILL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """What one viewer asked for."""

    source: str | None = None
    """None: the first camera."""
    variant: Variant = field(default_factory=Variant)
    fps: float | None = None
    """At most so many frames a second; None: all."""


class VideoStream:
    """Pictures for viewers. Each gets the newest, however slowly it takes them.

    Args:
        sight: sources and their frames.
        prints: makes the pictures.
        quality: of placeholders, 1 to 100.
        least_blur: tells how faces are to be hidden at least; asked for every picture, since people change it.
    """

    def __init__(
        self, sight: LiveView, prints: FrameRenderer, quality: int, least_blur: Callable[[], Blur] = lambda: "off"
    ) -> None:
        self._sight = sight
        self._prints = prints
        self._quality = quality
        self._least_blur = least_blur

    async def pictures(self, wish: VideoRequest) -> AsyncGenerator[RenderedFrame, None]:
        """Pictures as they come; about once a second a placeholder if none do."""
        while True:
            shown = wish.source or self._sight.registry.chosen(None)
            if shown is None:
                yield await self._placeholder("no source yet", "waiting for a capture", None, wish.variant)
                await asyncio.sleep(PLACEHOLDER_SECONDS)
                continue
            async with aclosing(self._pictures_of(shown, wish)) as pictures_of_one:
                async for picture in pictures_of_one:
                    yield picture
                    if wish.source is None and self._sight.registry.find(shown) is None:
                        break  # whoever named no source gets the next one

    async def still(self, source: str, variant: Variant) -> RenderedFrame:
        """One picture of a source as it is now.

        Raises:
            ApiError: there is no such source, or no frame of it arrives.
        """
        status = self._sight.registry.source(source)
        frames = self._sight.frames
        if status.state != "ONLINE":
            raise ApiError(503, "no_frame", f"{source} is {status.state}: {status.reason or 'no reason given'}")
        with frames.wanted(source):
            frame = frames.newest(source) or await frames.after(source, 0, max(STILL_SECONDS, _patience(status)))
            if frame is None:
                raise ApiError(503, "no_frame", f"no picture of {source!r} arrives now")
            try:
                return await self._prints.of(frame, variant.hiding(self._least_blur()))
            except PictureError as error:
                raise ApiError(503, "no_frame", f"a damaged frame of {source!r}: {error}") from error

    async def _pictures_of(self, source: str, wish: VideoRequest) -> AsyncGenerator[RenderedFrame, None]:
        last, due = 0, time.monotonic()  # not 0: the second would follow the first at once
        with self._sight.frames.wanted(source):
            while True:
                if (early := due - time.monotonic()) > 0:
                    await asyncio.sleep(early)
                status = self._sight.registry.find(source)
                if status is None or status.state != "ONLINE":
                    yield await self._missing(source, status, wish.variant)
                    await asyncio.sleep(PLACEHOLDER_SECONDS)
                elif frame := await self._sight.frames.after(source, last, _patience(status)):
                    last, due = frame.number, _next(due, wish.fps)
                    yield await self._print(frame, wish.variant)
                else:
                    yield await self._missing(source, status, wish.variant)

    async def _print(self, frame: Frame, variant: Variant) -> RenderedFrame:
        try:
            return await self._prints.of(frame, variant.hiding(self._least_blur()))
        except PictureError as error:
            return await self._placeholder("damaged frame", str(error), None, variant)

    async def _missing(self, source: str, status: SourceStatus | None, variant: Variant) -> RenderedFrame:
        if status is None:
            state, reason = "UNKNOWN", "it is not among the sources now"
        elif status.state == "ONLINE":
            state, reason = "NO VIDEO", "online, but no frames arrive"
        else:
            state, reason = status.state, status.reason or "no reason given"
        return await self._placeholder(f"{source}: {state}", reason, status, variant)

    async def _placeholder(
        self, title: str, reason: str, status: SourceStatus | None, variant: Variant
    ) -> RenderedFrame:
        width, height = (status.width, status.height) if status and status.width else (640, 360)
        shown = min(width, variant.width or 1280)
        size = shown, min(round(height * shown / width), 1280)
        return RenderedFrame(await asyncio.to_thread(_draw_placeholder, title, reason, size, self._quality))


def _draw_placeholder(title: str, reason: str, size: tuple[int, int], quality: int) -> bytes:
    from api_gateway.video.drawing import placeholder

    return placeholder(title, reason, size, quality)


def _next(due: float, fps: float | None) -> float:
    """When the next picture may be shown: in step with the last, so that jitter costs no frames."""
    return max(due + 1 / fps, time.monotonic()) if fps else 0.0


def _patience(status: SourceStatus) -> float:
    return max(PLACEHOLDER_SECONDS, SLOW_FRAMES / status.fps) if status.fps > 0 else PLACEHOLDER_SECONDS
