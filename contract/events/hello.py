"""The first message."""

from typing import Literal

from contract.events.episode import Episode
from contract.events.event import Event
from contract.events.source import State
from contract.events.stats import Stats

PROTOCOL_VERSION: Literal[2] = 2


class Hello(Event):
    """The first message, the only one that is no array: how everything stands, whatever was subscribed to."""

    type: Literal["hello"] = "hello"
    v: Literal[2] = PROTOCOL_VERSION
    """The protocol version. New kinds and new fields may come with the same one."""
    sources: tuple[State, ...]
    episodes: tuple[Episode, ...]
    """Those that run now, with the phase `update`."""
    stats: Stats
