"""The statuses that sources and workers report in the registries."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.address import DEMO
from contract.messages.values import MOST, Count, Line, ModelId, Moment, Port, SourceName
from contract.model.labels import Label

SourceKind = Literal["camera", "job", "inbox"]
SourceState = Literal["ONLINE", "OFFLINE", "RECONNECTING"]


class SourceStatus(BaseModel):
    """The status of a source; its capture process writes it about once a second and at every change of state."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    name: SourceName
    kind: SourceKind
    order: Annotated[int, Field(ge=-MOST, le=MOST)] = 0
    """The place in the list of sources; the first one is the default."""
    address: str = ""
    """Without credentials."""
    added: bool = False
    """Whether people added it (`keys.ADDED_SOURCES`); otherwise the configuration of the capture service names it."""
    state: SourceState
    reason: str = ""
    """Why it is not ONLINE."""
    warning: Line = ""
    """What is wrong although it is ONLINE, for people: most of its frames are skipped."""
    since_ms: Moment
    """When the state began."""
    seen_ms: Moment
    """When this was written; readers treat a status older than `STATUS_TTL_MS` as OFFLINE."""
    epoch: SourceName | Literal[""] = ""
    width: Count = 0
    height: Count = 0
    frames: Count = 0
    """Processed frames since the process started."""
    skipped: Count = 0
    """Frames of a live source that were skipped for a newer one or for a backlog."""
    fps: Annotated[float, Field(ge=0)] = 0.0
    host: Line = ""
    metrics_port: Port = 0

    @property
    def is_recording(self) -> bool:
        """Whether it plays a file, a folder or the demo clip, so that no camera is on."""
        return self.address == DEMO or self.address.startswith("/")


class WorkerStatus(BaseModel):
    """The status of a worker, written about once a second."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    consumer: Line
    engine: Line
    precision: Line = ""
    """Of the numbers that the engine computes with; empty in a status of an older release."""
    model: ModelId
    labels: tuple[Label, ...]
    seen_ms: Moment
    crops: Count = 0
    """Classified crops since it started."""
    host: Line = ""
    pid: Count = 0
    metrics_port: Port = 0


STATUS_TTL_MS = 5000
"""A source's or worker's status that is older than this belongs to a process that ended or hangs."""

FORGOTTEN_MS = 60_000
"""A source whose status is older than this is removed from the list of sources."""
