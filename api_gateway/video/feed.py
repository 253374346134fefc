"""The videos of several sources over one WebSocket: a browser opens only six HTTP connections to a host."""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api_gateway.video.errors import InvalidWatch
from api_gateway.video.renderer import WIDTHS, RenderedFrame, Variant
from api_gateway.video.stream import VideoRequest, VideoStream
from contract import keys

MOST_WATCHED = 64
"""Sources of one feed."""
LONGEST_MESSAGE = 16 * 1024
"""In characters: more than the largest request needs."""
ON_THEIR_WAY = 2
"""Pictures of a source that the client has not confirmed: one travels while the client shows the other."""
SourceName = Annotated[str, StringConstraints(pattern=f"^{keys.SOURCE_NAME.pattern}$")]


class Watched(BaseModel):
    """A source that a client watches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceName
    """Its name; it need not exist yet."""
    width: Annotated[int, Field(ge=WIDTHS[0], le=7680)] | None = None
    """Maximum width of the pictures in pixels."""


class WatchMessage(BaseModel):
    """What a client sends: the sources that it watches from now on, or the source whose picture it has shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    watch: Annotated[tuple[Watched, ...], Field(max_length=MOST_WATCHED)] | None = None
    """Replaces what was watched before; empty to pause."""
    ready: SourceName | None = None
    """The client has shown a picture of this source, and the gateway may send another."""

    @classmethod
    def read(cls, message: str) -> Self:
        """The message.

        Raises:
            InvalidWatch: it is something else.
        """
        if len(message) > LONGEST_MESSAGE:
            raise InvalidWatch(f"the message has more than {LONGEST_MESSAGE} characters")
        try:
            return cls.model_validate_json(message)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part)[:40] for part in first["loc"]) or "message"
            raise InvalidWatch(f"{where}: {first['msg']}") from None


class _Credits:
    """How many pictures may be sent now."""

    def __init__(self) -> None:
        self._left = ON_THEIR_WAY
        self._added = asyncio.Event()

    def add(self) -> None:
        """The client has shown a picture."""
        self._left = min(self._left + 1, ON_THEIR_WAY)
        self._added.set()

    async def take(self) -> None:
        """Wait until a picture may be sent."""
        while not self._left:
            self._added.clear()
            await self._added.wait()
        self._left -= 1


@dataclass(frozen=True)
class _Video:
    """The running video of one source."""

    watched: Watched
    credits: _Credits
    task: asyncio.Task[None]


class VideoFeed:
    """The videos that one client watches.

    Args:
        video: pictures of all sources.
        send: sends one binary message to the client.
        tasks: run the videos; an error in one ends all.
    """

    def __init__(self, video: VideoStream, send: Callable[[bytes], Awaitable[None]], tasks: asyncio.TaskGroup) -> None:
        self._video = video
        self._send = send
        self._tasks = tasks
        self._running: dict[str, _Video] = {}

    def receive(self, message: WatchMessage) -> None:
        """Act on a message of the client."""
        if message.watch is not None:
            self._watch({one.source: one for one in message.watch})
        if video := self._running.get(message.ready or ""):
            video.credits.add()

    def _watch(self, watched: dict[str, Watched]) -> None:
        """Watch these sources; a video that continues unchanged is not interrupted."""
        for source, video in list(self._running.items()):
            if watched.get(source) != video.watched:
                video.task.cancel()
                del self._running[source]
        for source, one in watched.items():
            if source not in self._running:
                limit = _Credits()
                self._running[source] = _Video(one, limit, self._tasks.create_task(self._stream(one, limit)))

    async def _stream(self, watched: Watched, limit: _Credits) -> None:
        request = VideoRequest(watched.source, Variant.for_request(watched.width, "off", drawn=False))
        async with aclosing(self._video.pictures(request)) as pictures:
            while True:
                await limit.take()  # before the picture is taken, so that it is the newest one
                await self._send(message_of(watched.source, await anext(pictures)))


def message_of(source: str, picture: RenderedFrame) -> bytes:
    """A picture as a message: the length of its metadata (4 bytes, big-endian), the metadata as JSON, and the JPEG.

    The metadata of a placeholder is only the name of its source.
    """
    metadata = (picture.metadata or json.dumps({"source": source})).encode()
    return struct.pack(">I", len(metadata)) + metadata + picture.jpeg
