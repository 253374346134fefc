"""The events of `/ws/emotions`, as frozen models: the one definition for gateway, AsyncAPI document and tests.

Use them as `events.Reading`, so that none is mistaken for the message of which it is made.
"""

from contract.events.episode import BestFace, Episode, Peak, Phase
from contract.events.event import Event
from contract.events.hello import PROTOCOL_VERSION, Hello
from contract.events.notices import Heartbeat, Missed, Refused
from contract.events.reading import Answer, Reading, Stages
from contract.events.source import Gone, State
from contract.events.stats import Blur, History, Restored, Saving, Settings, SourceStats, StageMedians, Stats

SubscribableEvent = Reading | Episode | State | Gone | Stats
"""What clients can subscribe to."""

__all__ = [
    "PROTOCOL_VERSION",
    "Answer",
    "BestFace",
    "Blur",
    "Episode",
    "Event",
    "Gone",
    "Heartbeat",
    "Hello",
    "History",
    "Missed",
    "Peak",
    "Phase",
    "Reading",
    "Refused",
    "Restored",
    "Saving",
    "Settings",
    "SourceStats",
    "StageMedians",
    "Stages",
    "State",
    "Stats",
    "SubscribableEvent",
]
