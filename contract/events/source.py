"""How a source is, and that one is no more."""

from typing import Literal, Self

from contract.events.event import Event
from contract.messages import SourceKind, SourceState, SourceStatus


class State(Event):
    """How a source is now; told when its state changes, or the reason of it."""

    kind: Literal["state"] = "state"
    source: str
    source_kind: SourceKind
    state: SourceState
    reason: str
    """Why it is not ONLINE."""
    since_ms: int
    width: int
    """Of its frames, in pixels; 0 while that is not known."""
    height: int

    @classmethod
    def from_status(cls, status: SourceStatus) -> Self:
        """The event."""
        return cls(
            source=status.name,
            source_kind=status.kind,
            state=status.state,
            reason=status.reason,
            since_ms=status.since_ms,
            width=status.width,
            height=status.height,
        )


class Gone(Event):
    """A source that nobody has renewed for a minute is forgotten."""

    kind: Literal["gone"] = "gone"
    source: str
