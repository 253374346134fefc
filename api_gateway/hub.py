"""Events to all WebSocket clients: gathered over a tick, serialised once, and no client can hold up another."""

import asyncio
import time
from collections.abc import Callable

from api_gateway import events
from api_gateway.channel import Channel, Encoded
from api_gateway.client import Client
from api_gateway.subscription import EVERYTHING, Subscription

TICK_SECONDS = 0.04


class Hub:
    """Takes events and gives every client those of one tick that it subscribed to, as one message.

    Args:
        on_lost: told how many events slow clients lost.
        monotonic: seconds, for the rates.
    """

    def __init__(
        self, on_lost: Callable[[int], None] = lambda _: None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_lost = on_lost
        self._monotonic = monotonic
        self._subscribed: dict[Client, Subscription] = {}
        self._channels: dict[Subscription, Channel] = {}
        self._events: list[Encoded] = []

    def __len__(self) -> int:
        """How many clients there are."""
        return len(self._subscribed)

    def subscribe(self, client: Client, subscription: Subscription = EVERYTHING) -> None:
        """From now on tell this client of these; what it subscribed to before is replaced."""
        self.leave(client)
        self._subscribed[client] = subscription
        self._channels.setdefault(subscription, Channel(subscription)).clients.add(client)

    def leave(self, client: Client) -> None:
        """Tell this client no more."""
        if (subscription := self._subscribed.pop(client, None)) is not None:
            channel = self._channels[subscription]
            channel.clients.remove(client)
            if not channel.clients:
                del self._channels[subscription]

    def add(self, event: events.Told) -> None:
        """Send this with the next tick."""
        if self._channels:
            self._events.append(Encoded(event))

    async def tick(self) -> None:
        """Wait one tick, then hand out what came meanwhile, and what was held back for a rate and is due now."""
        await asyncio.sleep(TICK_SECONDS)
        told, self._events = self._events, []
        now = self._monotonic()
        for channel in self._channels.values():
            if lost := channel.hand_out(told, now):
                self._on_lost(lost)
