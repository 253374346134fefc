"""The base of every service's settings: read once from `EMOTII_*` variables, frozen, passed down."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode

from contract.errors import SettingsError
from contract.printable import printable
from contract.service.logs import scrub
from contract.service.secret_files import SECRET, EmotiiSettings, is_secret

__all__ = ["SECRET", "Duration", "LogLevel", "Names", "ServiceSettings", "load"]

LogLevel = Literal["debug", "info", "warning", "error"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|min|h|d|)")
_LONGEST_SECONDS = 100 * 365 * 86400
"""A larger number, for example one meant as milliseconds, would overflow clocks and waits."""
_UNITS = {"ms": 0.001, "s": 1, "": 1, "min": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (found := _DURATION.fullmatch(value.strip())):
        raise ValueError("write a duration as 20ms, 5s, 2min, 1h or 7d (a bare number is in seconds)")
    if (seconds := float(found[1]) * _UNITS[found[2]]) > _LONGEST_SECONDS:
        raise ValueError("write a duration of at most 36500d, a hundred years")
    return timedelta(seconds=seconds)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A `timedelta`, written as `20ms`, `5s`, `2min`, `1h` or `7d`; a bare number is in seconds."""


def _parts(value: Any) -> Any:  # noqa: ANN401 - whatever the environment or a caller gives; the field checks it
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)]
"""Texts separated by commas."""


class ServiceSettings(EmotiiSettings):
    """The settings of every service."""

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="URL of Redis or Valkey: redis://USER:PASSWORD@HOST:6379/0, rediss://... or unix://PATH.",
        json_schema_extra=SECRET,
    )
    log_level: LogLevel = Field("info", description="Minimum level of log messages: debug, info, warning or error.")
    log_json: bool = Field(default=False, description="Log in JSON, one object per line.")
    metrics_host: str = Field(
        "127.0.0.1", description="Address on which workers, captures and jobs services serve health and metrics."
    )
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="Port on which workers, captures and jobs services serve health and metrics; 0: a free port."
    )
    allowed_hosts: Names = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Host names that browsers may use for the gateway, separated by commas; EMOTII_HOST is always "
        "allowed. Every service also serves its health and metrics by address, and under names without a dot.",
    )


Settings = TypeVar("Settings", bound=BaseSettings)


def load(settings: type[Settings], **given: Any) -> Settings:  # noqa: ANN401 - each is checked by its field
    """Read the settings from the environment; `given` (from a command line, where not None) takes precedence.

    Raises:
        SettingsError: a value cannot be used; the message names the variable.
    """
    try:
        return settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "EMOTII_" + "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        field = settings.model_fields.get(str(first["loc"][0])) if first["loc"] else None
        given_as = "" if field and is_secret(field) else f"={scrub(str(first['input']))[:80]}"
        # A value may hold anything; the message is one line.
        raise SettingsError(printable(f"{name}{given_as}: {message}")) from None
