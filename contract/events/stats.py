"""The figures of all sources, about once a second."""

from typing import Literal

from contract.events.event import Event

Blur = Literal["off", "blur", "mask"]


class Saving(Event):
    """The saving of faces by this gateway."""

    on: bool
    here: bool
    """Whether this gateway is the one that saves."""
    paused: str
    """Why no face is saved now; else empty."""


class History(Event):
    """The recording of readings and episodes by this gateway."""

    on: bool
    here: bool
    """Whether this gateway is the one that records."""
    trouble: str
    """Why the database is unavailable now; else empty."""
    waiting: int
    """Readings and episodes that wait to be written."""
    dropped: int
    """Readings and episodes that were dropped because too many waited."""


class Settings(Event):
    """The settings that people change on the page; kept in Redis."""

    saving: bool
    blur: Blur
    """How faces in the video are hidden."""
    saving_allowed: bool = True
    """Whether the environment of the gateway allows `saving`."""
    min_blur: Blur = "off"
    """The weakest `blur` that the environment of the gateway allows."""


class Restored(Event):
    """What this gateway wrote back to Redis, which had lost it."""

    at_ms: int
    """When it did so last, in Redis's time."""
    what: str
    """In words: settings, added sources or erasures."""


class StageMedians(Event):
    """The medians of the `stages` of the readings of a second."""

    detect_ms: int
    infer_ms: int
    deliver_ms: int


class SourceStats(Event):
    """The last second of one source."""

    readings_per_s: float
    stale: int
    """Readings past their deadline, which were not classified."""
    age_ms: int | None
    """Median; null without classified readings, and for recordings."""
    stages: StageMedians | None
    """The parts of the latency; null where they are not known."""
    backlog: int
    """Crops that no worker has finished."""
    waiting_ms: int
    """For how long the oldest of them has been waiting; 0 without any. More than 500 is too long for a camera."""
    gaps: int
    """How often frames that were sent to the workers did not come back: Redis lost them, or no worker was in time."""
    fps: float
    frames: int
    """Frames processed since the capture started."""
    skipped: int
    """Frames skipped for newer ones."""
    encodes: int
    """Pictures encoded for viewers."""


class Stats(Event):
    """The figures of all sources, about once a second."""

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
    disks: tuple[str, ...] = ()
    """Why something cannot be stored now, by disk: of Redis, of the saved faces, of the history. Live results go on."""
    restored: Restored | None = None
    """The last time that Redis had lost something; null if it never had since the gateway started."""
    sources: dict[str, SourceStats]
    """By name."""
