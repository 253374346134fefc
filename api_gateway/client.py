"""What waits for one client of `/ws/emotions`."""

import asyncio
from collections import deque

from api_gateway.events import Missed

QUEUED_MESSAGES = 20
"""What one client may have waiting: a second or two, much less than the time after which it is dropped."""


class Client:
    """The messages that wait for one client; the oldest go first when they are too many."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, int]] = deque()
        self._missed = 0
        self._filled = asyncio.Event()

    def put(self, message: str, events: int) -> int:
        """Queue a message that holds so many events; how many others were lost for it."""
        lost = self._waiting.popleft()[1] if len(self._waiting) == QUEUED_MESSAGES else 0
        self._missed += lost
        self._waiting.append((message, events))
        self._filled.set()
        return lost

    async def next(self) -> str:
        """The next message; first of all, how many events this client missed. Can be cancelled without a loss."""
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return f"[{Missed(count=missed).model_dump_json()}]"
        message, _ = self._waiting.popleft()
        if not self._waiting:
            self._filled.clear()
        return message
