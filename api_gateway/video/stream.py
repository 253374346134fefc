"""The video of a source for one viewer: its newest frame, or a placeholder that says why there is none."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from api_gateway.video.errors import NoFrame
from api_gateway.video.frame_buffer import Frame
from api_gateway.video.live_view import LiveView
from api_gateway.video.renderer import FrameRenderer, RenderedFrame, Variant
from contract.errors import PictureError
from contract.messages import SourceStatus
from contract.runtime_settings import Blur

PLACEHOLDER_SECONDS = 1.0
SLOW_FRAMES = 3
"""The video of a source with a low frame rate counts as missing after the duration of this many frames."""
STILL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """The request of one viewer."""

    source: str | None = None
    """None: the first camera."""
    variant: Variant = field(default_factory=Variant)
    fps: float | None = None
    """Maximum frame rate; None: all frames."""


class VideoStream:
    """Pictures for viewers. Each viewer gets the newest frame, however slowly it reads.

    Args:
        live_view: sources and their frames.
        renderer: of the frames.
        quality: of placeholders, 1 to 100.
        minimum_blur: returns how faces must be hidden at least; called for each picture, because it can change.
    """

    def __init__(
        self,
        live_view: LiveView,
        renderer: FrameRenderer,
        quality: int,
        minimum_blur: Callable[[], Blur] = lambda: "off",
    ) -> None:
        self._live_view = live_view
        self._renderer = renderer
        self._quality = quality
        self._minimum_blur = minimum_blur

    async def pictures(self, request: VideoRequest) -> AsyncGenerator[RenderedFrame, None]:
        """Pictures as frames arrive; about one placeholder a second while none arrive."""
        while True:
            source = request.source or self._live_view.registry.chosen(None)
            if source is None:
                yield await self._placeholder("no source yet", "waiting for a capture", None, request.variant)
                await asyncio.sleep(PLACEHOLDER_SECONDS)
                continue
            async with aclosing(self._pictures_of(source, request)) as pictures:
                async for picture in pictures:
                    yield picture
                    if request.source is None and self._live_view.registry.find(source) is None:
                        break  # a viewer that named no source gets the next one

    async def still(self, source: str, variant: Variant) -> RenderedFrame:
        """One picture of a source as it is now.

        Raises:
            UnknownSource: there is no such source.
            NoFrame: the source is not online, no frame of it arrives, or the frame is damaged.
        """
        status = self._live_view.registry.source(source)
        frames = self._live_view.frames
        if status.state != "ONLINE":
            raise NoFrame(f"{source} is {status.state}: {status.reason or 'no reason given'}")
        with frames.in_use(source):
            frame = frames.newest(source) or await frames.after(source, 0, max(STILL_SECONDS, _frame_timeout(status)))
            if frame is None:
                raise NoFrame(f"no picture of {source!r} arrives now")
            try:
                return await self._renderer.render(frame, variant.with_minimum_blur(self._minimum_blur()))
            except PictureError as error:
                raise NoFrame(f"a damaged frame of {source!r}: {error}") from error

    async def _pictures_of(self, source: str, request: VideoRequest) -> AsyncGenerator[RenderedFrame, None]:
        last, due = 0, time.monotonic()  # not 0: the second would follow the first at once
        with self._live_view.frames.in_use(source):
            while True:
                if (early := due - time.monotonic()) > 0:
                    await asyncio.sleep(early)
                status = self._live_view.registry.find(source)
                if status is None or status.state != "ONLINE":
                    yield await self._no_video(source, status, request.variant)
                    await asyncio.sleep(PLACEHOLDER_SECONDS)
                elif frame := await self._live_view.frames.after(source, last, _frame_timeout(status)):
                    last, due = frame.number, _next_due(due, request.fps)
                    yield await self._render(frame, request.variant)
                else:
                    yield await self._no_video(source, status, request.variant)

    async def _render(self, frame: Frame, variant: Variant) -> RenderedFrame:
        try:
            return await self._renderer.render(frame, variant.with_minimum_blur(self._minimum_blur()))
        except PictureError as error:
            return await self._placeholder("damaged frame", str(error), None, variant)

    async def _no_video(self, source: str, status: SourceStatus | None, variant: Variant) -> RenderedFrame:
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
        source_width, source_height = (status.width, status.height) if status and status.width else (640, 360)
        width = min(source_width, variant.width or 1280)
        size = width, min(round(source_height * width / source_width), 1280)
        return RenderedFrame(await asyncio.to_thread(_draw_placeholder, title, reason, size, self._quality))


def _draw_placeholder(title: str, reason: str, size: tuple[int, int], quality: int) -> bytes:
    from api_gateway.video.drawing import placeholder

    return placeholder(title, reason, size, quality)


def _next_due(due: float, fps: float | None) -> float:
    """When the next picture is due: in step with the last one, so that jitter costs no frames."""
    return max(due + 1 / fps, time.monotonic()) if fps else 0.0


def _frame_timeout(status: SourceStatus) -> float:
    return max(PLACEHOLDER_SECONDS, SLOW_FRAMES / status.fps) if status.fps > 0 else PLACEHOLDER_SECONDS
