"""The settings of `emotii up` and `emotii analyze`; the services read all others from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from contract.service.secret_files import SECRET, EmotiiSettings
from contract.service.settings import LogLevel


class UpSettings(EmotiiSettings):
    """Settings of `emotii up` and `emotii analyze`."""

    redis_url: str | None = Field(
        None, description="URL of a Redis or Valkey to use instead of a private server.", json_schema_extra=SECRET
    )
    data: Path = Field(Path(".emotii"), description="Folder for the data of the private server.")
    database_url: str | None = Field(
        None,
        description="URL of the history database. Default: SQLite in EMOTII_DATA/history.db.",
        json_schema_extra=SECRET,
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(1, description="Number of inference workers to start.")
    host: str = Field("127.0.0.1", description="Address that the gateway listens on.")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="Port of the gateway. Default: 5000, or the next free port."
    )
    sources: str | None = Field(
        None, description="Sources to capture. Default: the first webcam, or the demo clip if there is no webcam."
    )
    sources_file: Path | None = Field(None, description="Path of a sources.toml, which replaces EMOTII_SOURCES.")
    log_level: LogLevel = Field("warning", description="Minimum level of log messages.")
