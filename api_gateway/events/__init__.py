"""What goes over `/ws/emotions`, as frozen models: the one definition for gateway, AsyncAPI document and tests.

Used as `events.Reading`, so that nobody takes one for the reading of the contract that it tells of.
"""

from api_gateway.events.episode import BestFace, Episode, Peak, Phase
from api_gateway.events.event import Event
from api_gateway.events.hello import PROTOCOL_VERSION, Hello
from api_gateway.events.notices import Heartbeat, Missed, Refused
from api_gateway.events.reading import Answer, Reading, Stages
from api_gateway.events.source import Gone, State
from api_gateway.events.stats import Blur, History, Saving, Settings, SourceStats, StageMedians, Stats

Told = Reading | Episode | State | Gone | Stats
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
    "Saving",
    "Settings",
    "SourceStats",
    "StageMedians",
    "Stages",
    "State",
    "Stats",
    "Told",
]
