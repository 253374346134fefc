"""How things stand, about once a second."""

from typing import Literal

from contract.events.event import Event

Blur = Literal["off", "blur", "mask"]


class Saving(Event):
    """The saving of faces by this gateway."""

    on: bool
    here: bool
    """Whether it is this gateway that saves, of all."""
    paused: str
    """Why no face is saved for now; else empty."""


class History(Event):
    """The recording of readings and episodes by this gateway."""

    on: bool
    here: bool
    """Whether it is this gateway that records, of all."""
    trouble: str
    """Why the database cannot be used now; else empty."""
    waiting: int
    """Readings and episodes that wait to be written."""
    dropped: int
    """Those that never were, because too many waited."""


class Settings(Event):
    """What people switch on the page; kept in Redis."""

    saving: bool
    blur: Blur
    """What is done to faces in the video."""


class StageMedians(Event):
    """The medians of `stages` of a second's readings."""

    detect_ms: int
    infer_ms: int
    deliver_ms: int


class SourceStats(Event):
    """The last second of one source."""

    readings_per_s: float
    stale: int
    """Readings that were too old to classify."""
    age_ms: int | None
    """Median; null without classified readings, and for recordings."""
    stages: StageMedians | None
    """What the age is made of; null where that is not known."""
    backlog: int
    """Crops that no worker has finished."""
    waiting_ms: int
    """For how long the oldest of them has been waiting; 0 without any. More than 500 is too long for a camera."""
    gaps: int
    """How often frames that were sent to the workers did not come back: Redis lost them, or nobody was in time."""
    fps: float
    frames: int
    """Looked at since the capture started."""
    skipped: int
    """Passed over for newer ones."""
    encodes: int
    """Pictures encoded for viewers."""


class Stats(Event):
    """How things stand, about once a second."""

    kind: Literal["stats"] = "stats"
    now_ms: int
    """Redis's time."""
    redis: bool
    """Whether Redis answered last."""
    workers: int
    models: tuple[str, ...]
    """`name@version` of those that the workers run."""
    saving: Saving
    history: History
    settings: Settings
    sources: dict[str, SourceStats]
    """By name."""
