"""What is told to one client about its own connection, whatever it subscribed to."""

from typing import Literal

from contract.events.event import Event


class Heartbeat(Event):
    """There was nothing to say for a second."""

    kind: Literal["heartbeat"] = "heartbeat"
    now_ms: int
    """Redis's time."""


class Missed(Event):
    """This client was too slow: so many events were dropped for it."""

    kind: Literal["missed"] = "missed"
    count: int


class Refused(Event):
    """What this client asked for cannot be; its subscription stays as it was."""

    kind: Literal["refused"] = "refused"
    code: Literal["bad_subscription"] = "bad_subscription"
    message: str
    """For people."""
