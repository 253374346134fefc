"""The clients with the same subscription: their events are filtered, rate-limited and joined once for all of them."""

from collections.abc import Iterable
from functools import cached_property

from api_gateway.websocket.client import Client, Message
from api_gateway.websocket.subscription import Subscription
from contract import events

TrackKey = tuple[str, str, int]


class EncodedEvent:
    """An event with its JSON, which is encoded when the first channel needs it, and only once."""

    def __init__(self, event: events.SubscribableEvent) -> None:
        self.event = event

    @cached_property
    def text(self) -> str:
        return self.event.model_dump_json()


class RateLimiter:
    """Limits the rate of the readings of each track; of those in between it keeps only the newest.

    Args:
        rate: readings a second.
    """

    def __init__(self, rate: float) -> None:
        self._every = 1 / rate
        self._due: dict[TrackKey, float] = {}
        self._newest: dict[TrackKey, EncodedEvent] = {}

    def limit(self, new: Iterable[EncodedEvent], now: float) -> list[EncodedEvent]:
        """All events that are not readings, then the readings that are due; `now` in seconds."""
        others: list[EncodedEvent] = []
        for one in new:
            if isinstance(one.event, events.Reading):
                self._newest[one.event.source, one.event.epoch, one.event.track] = one
            else:
                others.append(one)
        due = [key for key in self._newest if self._due.get(key, now) <= now]
        # A due time in the past has no effect: the next reading of such a track is due at once, like a first one.
        self._due = {key: at for key, at in self._due.items() if at + self._every > now}
        for key in due:
            # Counted from the due time, not from now: the ticks are coarse, and the rate must hold on average.
            self._due[key] = self._due.get(key, now) + self._every
        return others + [self._newest.pop(key) for key in due]


class Channel:
    """One subscription and its clients.

    Args:
        subscription: of all of them.
        now: seconds of a monotonic clock.
    """

    def __init__(self, subscription: Subscription, now: float) -> None:
        self.clients: set[Client] = set()
        self.sent_at = now
        """When the last message was sent."""
        self._subscription = subscription
        self._rate_limiter = None if subscription.rate is None else RateLimiter(subscription.rate)

    def publish(self, new: Iterable[EncodedEvent], now: float) -> int:
        """Send the events of the subscription as one message; returns the number of events that slow clients lost."""
        wanted = [one for one in new if self._subscription.wants(one.event)]
        if self._rate_limiter:
            wanted = self._rate_limiter.limit(wanted, now)
        if not wanted:
            return 0
        return self.send(Message(f"[{','.join(one.text for one in wanted)}]", len(wanted)), now)

    def send(self, message: Message, now: float) -> int:
        """Send a message to every client; returns the number of events that slow clients lost."""
        self.sent_at = now
        return sum(client.put(message) for client in self.clients)
