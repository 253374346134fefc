"""The settings of the jobs service."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from contract.service.settings import Duration, ServiceSettings


class JobsSettings(ServiceSettings):
    """Where the recordings are that were handed in, and how long they stay."""

    jobs: Path = Field(Path("jobs"), description="Folder of the jobs; the same as the gateway's.")
    jobs_keep: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=3650))] = Field(
        timedelta(days=7),
        description="How long a job that is over is kept, with its recording and what came of it; 0 keeps it.",
    )
    jobs_longest: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=30))] = Field(
        timedelta(hours=12), description="A job that takes longer has failed, so that the others get their turn."
    )
