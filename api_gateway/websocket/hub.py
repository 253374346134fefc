"""Events to all WebSocket clients: serialised once, handed out as they come, and no client can hold up another."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from api_gateway.results.sinks import PartialSink, ProcessedReading
from api_gateway.websocket.channel import Channel, EncodedEvent
from api_gateway.websocket.client import Client
from api_gateway.websocket.message import Message
from api_gateway.websocket.subscription import EVERYTHING, Subscription
from contract import events
from contract.messages import SourceStatus

REST_SECONDS_A_CLIENT = 0.0002
"""What comes meanwhile goes out together. A message to a client costs a tenth of this: the more there are the more is
gathered, and all of them together take no more than a tenth of a core's time."""
LONGEST_REST_SECONDS = 0.04
LOOK_SECONDS = 0.04
"""How late a reading may be that was held back for a rate."""
HEARTBEAT_SECONDS = 1.0


class Hub(PartialSink):
    """Takes events and gives every client those that it subscribed to, all that there are at a time as one message.

    Args:
        on_lost: told how many events slow clients lost.
        now_ms: Redis's time, for the heartbeats.
        monotonic: seconds, for the rates.
    """

    def __init__(
        self,
        on_lost: Callable[[int], None] = lambda _: None,
        now_ms: Callable[[], int] = lambda: 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_lost = on_lost
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._subscribed: dict[Client, Subscription] = {}
        self._channels: dict[Subscription, Channel] = {}
        self._events: list[EncodedEvent] = []
        self._news = asyncio.Event()
        self._rested = 0.0

    def __len__(self) -> int:
        """How many clients there are."""
        return len(self._subscribed)

    def subscribe(self, client: Client, subscription: Subscription = EVERYTHING) -> None:
        """From now on tell this client of these; what it subscribed to before is replaced."""
        self.leave(client)
        self._subscribed[client] = subscription
        if subscription not in self._channels:
            self._channels[subscription] = Channel(subscription, self._monotonic())
        self._channels[subscription].clients.add(client)

    def leave(self, client: Client) -> None:
        """Tell this client no more."""
        if (subscription := self._subscribed.pop(client, None)) is not None:
            channel = self._channels[subscription]
            channel.clients.remove(client)
            if not channel.clients:
                del self._channels[subscription]

    def reading(self, reading: ProcessedReading) -> None:
        self.add(reading.event)

    def episode(self, episode: events.Episode, *, live: bool) -> None:
        self.add(episode)

    def gone(self, source: str) -> None:
        self.add(events.Gone(source=source))

    def source_changed(self, status: SourceStatus) -> None:
        """Send the new state of a source."""
        self.add(events.State.from_status(status))

    def add(self, event: events.SubscribableEvent) -> None:
        """Tell of this as soon as may be."""
        if self._channels:
            self._events.append(EncodedEvent(event))
            self._news.set()

    async def tick(self) -> None:
        """Wait for an event, at most a moment; hand out what there is, and what a rate held back and is due now."""
        await asyncio.sleep(self._rested - self._monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()
        self._news.clear()
        told, self._events = self._events, []
        now = self._monotonic()
        for channel in self._channels.values():
            if lost := channel.hand_out(told, now):
                self._on_lost(lost)
        self._beat(now)
        self._rested = now + rest_seconds(len(self))

    def _beat(self, now: float) -> None:
        """Tell those who heard nothing for a second that this is so."""
        if quiet := [one for one in self._channels.values() if now - one.told_at >= HEARTBEAT_SECONDS]:
            beat = Message(f"[{events.Heartbeat(now_ms=self._now_ms()).model_dump_json()}]", 0)
            for channel in quiet:
                channel.send(beat, now)


def rest_seconds(clients: int) -> float:
    """How long to gather after something was handed out to so many."""
    return min(LONGEST_REST_SECONDS, REST_SECONDS_A_CLIENT * clients)
