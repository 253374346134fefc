"""The status of a job: a recording that was uploaded over REST to be analysed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.messages.values import Count, Moment, RecordId, ResultFile

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[JobState, ...] = ("done", "failed", "cancelled")


class JobStatus(BaseModel):
    """A job in the registry: written by the gateway that received the recording, then by the process that runs it."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    id: RecordId
    """Also the field of the hash that holds this status, and the name of the job's folder."""
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f\x7f]+$")]
    """The name that the uploader gave the recording."""
    state: JobState = "queued"
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the frames that have all their outcomes; 0 until the end for a recording that states no length."""
    frames: Count = 0
    faces: Count = 0
    reason: str = ""
    """Why it failed, what a running job waits for, or what is missing from the results of a job that is done."""
    created_ms: Moment
    changed_ms: Moment
    """When this status was written."""
    attempts: Count = 0
    """How often it was started; more than once if a process that ran it died."""
    files: tuple[ResultFile, ...] = ()
    """The files that can be downloaded, once it is done."""

    @property
    def over(self) -> bool:
        return self.state in OVER
