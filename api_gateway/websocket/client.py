"""What waits for one client of `/ws/emotions`."""

import asyncio
from collections import deque
from collections.abc import Callable

from api_gateway.websocket.message import Message
from contract.events import Missed

QUEUED_MESSAGES = 20
"""What one client may have waiting: a second or two, much less than the time after which it is dropped."""
Push = Callable[[bytes], bool]
"""Writes a frame at once if that needs no waiting; whether it did."""


class Client:
    """The messages that wait for one client; the oldest go first when they are too many.

    Args:
        push: the short way to the client, for a message before which nothing waits.
    """

    def __init__(self, push: Push | None = None) -> None:
        self._push = push
        self._waiting: deque[Message] = deque()
        self._missed = 0
        self._filled = asyncio.Event()
        self._awaited = False
        """Whether everything was taken out, and sent."""

    def put(self, message: Message) -> int:
        """Send a message, or queue it; how many events of others were lost for it."""
        if self._awaited and self._push and self._push(message.frame):
            return 0
        lost = self._waiting.popleft().events if len(self._waiting) == QUEUED_MESSAGES else 0
        self._missed += lost
        self._waiting.append(message)
        self._awaited = False
        self._filled.set()
        return lost

    async def next(self) -> str:
        """The next message to be sent; first of all, how many events this client missed.

        Asking for it says that the one before was sent. Can be cancelled without a loss.
        """
        self._awaited = not self._waiting and not self._missed
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return f"[{Missed(count=missed).model_dump_json()}]"
        message = self._waiting.popleft()
        if not self._waiting:
            self._filled.clear()
        return message.text
