"""Events to all WebSocket clients: gathered over a tick, serialised once, and no client can hold up another."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from api_gateway.events import Event, Missed

TICK_SECONDS = 0.04
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
        """The next message; first of all, how many events this client missed."""
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return encode([Missed(count=missed)])
        message, _ = self._waiting.popleft()
        if not self._waiting:
            self._filled.clear()
        return message


class Hub:
    """Takes events and gives every client those of one tick as one message.

    Args:
        on_lost: told how many events a slow client lost.
    """

    def __init__(self, on_lost: Callable[[int], None] = lambda _: None) -> None:
        self._on_lost = on_lost
        self.clients: set[Client] = set()
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        """Send this with the next tick."""
        if self.clients:
            self._events.append(event)

    async def tick(self) -> None:
        """Wait one tick, then hand out what came meanwhile."""
        await asyncio.sleep(TICK_SECONDS)
        if self._events:
            events, self._events = self._events, []
            message = encode(events)
            for client in self.clients:
                if lost := client.put(message, len(events)):
                    self._on_lost(lost)


def encode(events: Iterable[Event]) -> str:
    """A message: the array of these events as JSON."""
    return f"[{','.join(event.model_dump_json() for event in events)}]"
