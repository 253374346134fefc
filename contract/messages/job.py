"""The status of a job: a recording that was uploaded over REST to be analysed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[JobState, ...] = ("done", "failed", "cancelled")


class JobStatus(BaseModel):
    """A job in the registry: written by the gateway that received the recording, then by the process that runs it."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    id: str
    name: str
    """The name that the uploader gave the recording."""
    state: JobState = "queued"
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the frames that have all their outcomes; 0 until the end for a recording that states no length."""
    frames: Annotated[int, Field(ge=0)] = 0
    faces: Annotated[int, Field(ge=0)] = 0
    reason: str = ""
    """Why it failed, what a running job waits for, or what is missing from the results of a job that is done."""
    created_ms: int
    changed_ms: int
    """When this status was written."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """How often it was started; more than once if a process that ran it died."""
    files: tuple[str, ...] = ()
    """The files that can be downloaded, once it is done."""

    @property
    def over(self) -> bool:
        return self.state in OVER
