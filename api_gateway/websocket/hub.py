"""Publishes events to all WebSocket clients: each event is encoded once, and no client delays another."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from api_gateway.results.sinks import PartialSink, ProcessedReading
from api_gateway.websocket.channel import Channel, EncodedEvent
from api_gateway.websocket.client import Client, Message
from api_gateway.websocket.subscription import EVERYTHING, Subscription
from contract import events
from contract.messages import SourceStatus
from contract.redis.clock import RedisClock

PAUSE_SECONDS_A_CLIENT = 0.0002
"""Events that arrive during the pause after a tick share one message. A message to a client costs a tenth of this, so
the more clients there are, the more events share a message, and all clients together take a tenth of a core."""
LONGEST_PAUSE_SECONDS = 0.04
WAIT_SECONDS = 0.04
"""How late a rate-limited reading may be."""
HEARTBEAT_SECONDS = 1.0


class Hub(PartialSink):
    """Sends every client the events that it subscribed to; those that are there at a time as one message.

    Args:
        clock: Redis's, for the heartbeats.
        on_lost: called with the number of events that slow clients lost.
        monotonic: seconds, for the rates.
    """

    def __init__(
        self,
        clock: RedisClock,
        on_lost: Callable[[int], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_lost = on_lost
        self._clock = clock
        self._monotonic = monotonic
        self._subscribed: dict[Client, Subscription] = {}
        self._channels: dict[Subscription, Channel] = {}
        self._events: list[EncodedEvent] = []
        self._added = asyncio.Event()
        self._paused_until = 0.0

    def __len__(self) -> int:
        """The number of clients."""
        return len(self._subscribed)

    def subscribe(self, client: Client, subscription: Subscription = EVERYTHING) -> None:
        """Send this client the events of a subscription from now on, which replaces its previous one."""
        self.leave(client)
        self._subscribed[client] = subscription
        if subscription not in self._channels:
            self._channels[subscription] = Channel(subscription, self._monotonic())
        self._channels[subscription].clients.add(client)

    def leave(self, client: Client) -> None:
        """Send this client nothing more."""
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
        """Send an event with the next tick."""
        if self._channels:
            self._events.append(EncodedEvent(event))
            self._added.set()

    async def tick(self) -> None:
        """Wait briefly for an event; send the new events, and the rate-limited ones that are due now."""
        await asyncio.sleep(self._paused_until - self._monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                await self._added.wait()
        self._added.clear()
        new, self._events = self._events, []
        now = self._monotonic()
        for channel in self._channels.values():
            if lost := channel.publish(new, now):
                self._on_lost(lost)
        self._send_heartbeats(now)
        self._paused_until = now + pause_seconds(len(self))

    def _send_heartbeats(self, now: float) -> None:
        """Send a heartbeat to the clients that have received nothing for a second."""
        if quiet := [one for one in self._channels.values() if now - one.sent_at >= HEARTBEAT_SECONDS]:
            heartbeat = Message(f"[{events.Heartbeat(now_ms=self._clock.now_ms()).model_dump_json()}]", 0)
            for channel in quiet:
                channel.send(heartbeat, now)


def pause_seconds(clients: int) -> float:
    """The pause after a tick with this number of clients."""
    return min(LONGEST_PAUSE_SECONDS, PAUSE_SECONDS_A_CLIENT * clients)
