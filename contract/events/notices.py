"""Events about the connection of one client, independent of its subscription."""

from typing import Literal

from contract.events.event import Event


class Heartbeat(Event):
    """No other event was sent for a second."""

    kind: Literal["heartbeat"] = "heartbeat"
    now_ms: int
    """Redis's time."""


class Missed(Event):
    """This client was too slow: so many events were dropped for it."""

    kind: Literal["missed"] = "missed"
    count: int


class Refused(Event):
    """The subscription that this client requested is invalid; the one before stays."""

    kind: Literal["refused"] = "refused"
    code: Literal["bad_subscription"] = "bad_subscription"
    message: str
    """For people."""
