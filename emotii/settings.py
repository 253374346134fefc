"""What `emotii up` and `emotii analyze` decide; everything else they hand on to the services in the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from contract.service.secret_files import SECRET, EmotiiSettings
from contract.service.settings import LogLevel


class UpSettings(EmotiiSettings):
    """Settings of `emotii up` and `emotii analyze`."""

    redis_url: str | None = Field(
        None, description="A Redis or Valkey to use instead of a private one.", json_schema_extra=SECRET
    )
    data: Path = Field(Path(".emotii"), description="Folder of the private server's data.")
    database_url: str | None = Field(
        None, description="Database of the history; by default history.db in that folder.", json_schema_extra=SECRET
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(1, description="How many inference workers are started.")
    host: str = Field("127.0.0.1", description="Address that the gateway binds.")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="Port of the gateway; by default 5000, or the next free one."
    )
    sources: str | None = Field(None, description="What is watched; by default the first webcam, else the demo clip.")
    sources_file: Path | None = Field(None, description="A sources.toml, the full form of `sources`.")
    log_level: LogLevel = Field("warning", description="The least that is logged while `emotii up` runs.")
