"""What the jobs service and the process of a job send each other."""

from dataclasses import dataclass
from pathlib import Path

from capture_service.settings import CaptureSettings


@dataclass(frozen=True, slots=True)
class JobTask:
    """One job: which recording to analyse, and where to write its files."""

    source: str
    """The name of the job in Redis."""
    recording: Path
    name: str
    """The name that the uploader gave the recording."""
    folder: Path
    """For the files."""
    settings: CaptureSettings
    model: str
    """The configured model, a name or a folder."""
    step_seconds: float
    """A step that takes longer counts as hung."""
    watchdog_fd: int
    """Descriptor of the watchdog, which the process feeds at every step."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """The results of a job."""

    files: tuple[str, ...]
    """Their names."""
    frames: int
    faces: int
    warnings: tuple[str, ...]
    """What is missing from the results, one sentence each."""


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job has no results, for the person who uploaded the recording."""

    reason: str
