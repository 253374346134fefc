"""The settings of the jobs service."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from contract.service.settings import Duration, ServiceSettings


class JobsSettings(ServiceSettings):
    """Where uploaded recordings are, how long they are kept, and how long an analysis may take."""

    jobs: Path = Field(
        Path("jobs"), description="Folder of uploaded recordings and their results; the same as that of the gateway."
    )
    jobs_keep: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=3650))] = Field(
        timedelta(days=7),
        description="Retention of jobs after their end, with recording and results; 0: no limit.",
    )
    jobs_longest: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=30))] = Field(
        timedelta(hours=12),
        description="Maximum duration of a job. A longer job fails, so that other jobs are not delayed.",
    )
    jobs_step_timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(days=1))] = Field(
        timedelta(minutes=5),
        description="Maximum duration of one step of a job, for example of decoding one frame. A job that hangs longer "
        "fails, so that other jobs are not delayed. Waiting for workers or Redis is no step.",
    )
