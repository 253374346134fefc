"""One client of `/ws/emotions`, and the messages that wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import cached_property

from websockets.frames import Frame, Opcode

from contract.events import Missed

QUEUED_MESSAGES = 20
"""Limit on the waiting messages of a client: a second or two of events, far less than its send deadline."""
Push = Callable[[bytes], bool]
"""Writes a frame at once if that needs no waiting; returns whether it did."""


class Message:
    """Some events as one message, ready to be written to any number of WebSockets.

    Args:
        text: JSON.
        events: number of events in it, which a client that loses the message has missed.
    """

    def __init__(self, text: str, events: int) -> None:
        self.text = text
        self.events = events

    @cached_property
    def frame(self) -> bytes:
        """The message as a WebSocket frame. A server's frames are not masked, so it is the same for all clients."""
        return Frame(Opcode.TEXT, self.text.encode()).serialize(mask=False)


class Client:
    """The queue of one client; a full queue drops its oldest message.

    Args:
        push: the fast path to the client, for a message when no other one waits.
    """

    def __init__(self, push: Push | None = None) -> None:
        self._push = push
        self._queue: deque[Message] = deque()
        self._missed = 0
        self._filled = asyncio.Event()
        self._idle = False
        """Whether everything was taken from the queue, and sent."""

    def put(self, message: Message) -> int:
        """Send a message, or queue it; returns the number of older events that were dropped for it."""
        if self._idle and self._push and self._push(message.frame):
            return 0
        dropped = self._queue.popleft().events if len(self._queue) == QUEUED_MESSAGES else 0
        self._missed += dropped
        self._queue.append(message)
        self._idle = False
        self._filled.set()
        return dropped

    async def next(self) -> str:
        """The next message to send; after dropped events first their number.

        A call means that the previous message was sent. It can be cancelled without losing a message.
        """
        self._idle = not self._queue and not self._missed
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return f"[{Missed(count=missed).model_dump_json()}]"
        message = self._queue.popleft()
        if not self._queue:
            self._filled.clear()
        return message.text
