"""The first message."""

from typing import Literal

from contract.events.episode import Episode
from contract.events.event import Event
from contract.events.source import State
from contract.events.stats import Stats

PROTOCOL_VERSION: Literal[2] = 2


class Hello(Event):
    """The first message, and the only one that is no array: the present state, independent of the subscription."""

    type: Literal["hello"] = "hello"
    v: Literal[2] = PROTOCOL_VERSION
    """The protocol version. New kinds and new fields do not change it."""
    sources: tuple[State, ...]
    episodes: tuple[Episode, ...]
    """The running episodes, with the phase `update`."""
    stats: Stats
