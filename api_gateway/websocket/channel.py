"""The clients with one and the same subscription: what they are told is picked, thinned and joined once for all."""

from collections.abc import Iterable
from functools import cached_property

from api_gateway.websocket.client import Client
from api_gateway.websocket.message import Message
from api_gateway.websocket.subscription import Subscription
from contract import events

TrackKey = tuple[str, str, int]


class EncodedEvent:
    """An event with its JSON, which is made when the first channel wants it, and never twice."""

    def __init__(self, event: events.SubscribableEvent) -> None:
        self.event = event

    @cached_property
    def text(self) -> str:
        return self.event.model_dump_json()


class RateLimiter:
    """Lets readings through at a rate, each track for itself; of those that come between only the newest is kept.

    Args:
        rate: readings a second.
    """

    def __init__(self, rate: float) -> None:
        self._every = 1 / rate
        self._due: dict[TrackKey, float] = {}
        self._newest: dict[TrackKey, EncodedEvent] = {}

    def thin(self, told: Iterable[EncodedEvent], now: float) -> list[EncodedEvent]:
        """Everything but the readings, and behind it the readings whose time has come; `now` in seconds."""
        others: list[EncodedEvent] = []
        for one in told:
            if isinstance(one.event, events.Reading):
                self._newest[one.event.source, one.event.epoch, one.event.track] = one
            else:
                others.append(one)
        due = [key for key in self._newest if self._due.get(key, now) <= now]
        # What is over adds nothing: the next reading of such a track goes out at once, as a first one does.
        self._due = {key: at for key, at in self._due.items() if at + self._every > now}
        for key in due:
            # From when it was due, not from now: the ticks are coarse, and the rate is to be kept on average.
            self._due[key] = self._due.get(key, now) + self._every
        return others + [self._newest.pop(key) for key in due]


class Channel:
    """One subscription and its clients.

    Args:
        subscription: of all of them.
        now: seconds of the clock that is never set.
    """

    def __init__(self, subscription: Subscription, now: float) -> None:
        self.clients: set[Client] = set()
        self.told_at = now
        """When anything was sent last."""
        self._subscription = subscription
        self._pace = None if subscription.rate is None else RateLimiter(subscription.rate)

    def hand_out(self, told: Iterable[EncodedEvent], now: float) -> int:
        """Give every client what it wants of these, as one message; how many events slow ones lost for it."""
        wanted = [one for one in told if self._subscription.wants(one.event)]
        if self._pace:
            wanted = self._pace.thin(wanted, now)
        if not wanted:
            return 0
        return self.send(Message(f"[{','.join(one.text for one in wanted)}]", len(wanted)), now)

    def send(self, message: Message, now: float) -> int:
        """Give every client this; how many events slow ones lost for it."""
        self.told_at = now
        return sum(client.put(message) for client in self.clients)
