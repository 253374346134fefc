"""Video as `multipart/x-mixed-replace`, which an `<img>` displays, and its viewers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api_gateway.video.renderer import BOUNDARY, RenderedFrame

logger = structlog.get_logger(per_request=True)
MEDIA_TYPE = "multipart/x-mixed-replace; boundary=frame"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
STALLED_SECONDS = 4.0
"""A viewer that reads nothing for this long is disconnected; before that, the buffers of its connection fill up."""
FINISH_SECONDS = 0.2


class Viewers:
    """The open responses and WebSockets with video, each as the deadline that ends it."""

    def __init__(self) -> None:
        self._deadlines: set[asyncio.Timeout] = set()

    def __len__(self) -> int:
        return len(self._deadlines)

    def add(self, deadline: asyncio.Timeout) -> None:
        self._deadlines.add(deadline)

    def discard(self, deadline: asyncio.Timeout) -> None:
        self._deadlines.discard(deadline)

    def end_all(self) -> None:
        """End all videos, because the process is about to stop."""
        for deadline in self._deadlines:
            _end(deadline)


class MjpegResponse(Response):
    """An endless response of pictures; it ends when the viewer leaves or stalls, or the gateway stops."""

    media_type = MEDIA_TYPE

    def __init__(self, pictures: AsyncGenerator[RenderedFrame, None], viewers: Viewers) -> None:
        super().__init__(headers=NO_STORE)
        del self.headers["content-length"]
        self._pictures = pictures
        self._viewers = viewers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        deadline = asyncio.timeout(STALLED_SECONDS)
        leaving: asyncio.Task[None] | None = None
        try:
            async with aclosing(self._pictures), deadline:
                self._viewers.add(deadline)
                leaving = asyncio.create_task(_end_on_leave(receive, deadline))
                await self._send_pictures(send, deadline)
        except TimeoutError:
            await _finish(send)
        finally:
            self._viewers.discard(deadline)
            if leaving:
                leaving.cancel()

    async def _send_pictures(self, send: Send, deadline: asyncio.Timeout) -> None:
        begin = b"--%b\r\n" % BOUNDARY
        async for picture in self._pictures:
            await send({"type": "http.response.body", "body": begin + picture.part, "more_body": True})
            now, until = asyncio.get_running_loop().time(), deadline.when()
            if until is not None and until > now:  # else it was ended, which must not be postponed
                deadline.reschedule(now + STALLED_SECONDS)
            begin = b""


async def _finish(send: Send) -> None:
    """Complete the response for a viewer that still reads."""
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        logger.info("a viewer that stopped reading was disconnected")


async def _end_on_leave(receive: Receive, deadline: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _end(deadline)


def _end(deadline: asyncio.Timeout) -> None:
    try:
        deadline.reschedule(asyncio.get_running_loop().time())
    except RuntimeError:
        return  # it has already ended
