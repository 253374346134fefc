"""The state of a source, and its removal."""

from typing import Literal, Self

from contract.events.event import Event
from contract.messages import SourceKind, SourceState, SourceStatus


class State(Event):
    """The state of a source; sent when the state, its reason or its warning changes."""

    kind: Literal["state"] = "state"
    source: str
    source_kind: SourceKind
    state: SourceState
    reason: str
    """Why it is not ONLINE."""
    warning: str
    """What is wrong although it is ONLINE, for people: most of its frames are skipped."""
    order: int
    """Its place in the list of sources."""
    recording: bool
    """Whether it plays a file, a folder or the demo clip; otherwise a camera is on."""
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
            warning=status.warning,
            order=status.order,
            recording=status.is_recording,
            since_ms=status.since_ms,
            width=status.width,
            height=status.height,
        )


class Gone(Event):
    """A source was removed: no capture process has renewed it for a minute."""

    kind: Literal["gone"] = "gone"
    source: str
