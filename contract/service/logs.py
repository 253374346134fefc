"""Structured logs on stderr: one line a change of state, for people or (JSON) for machines, never with credentials."""

import logging
import re
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog

from contract.service.log_limit import LimitLines

_CREDENTIALS = re.compile(r"(?<=://)(?:[^:\s]*:(?:(?![=,](?:rtsp|http|redis)s?://)\S)*|[^/\s]*)@")
"""After a colon all up to the last @ before the next URL of a list, since people write passwords with / and @ in them.
It hides too much rather than too little: of `http://host:80/a@b` the host, too."""


def scrub(text: str) -> str:
    """`text` with the user and password of every URL in it hidden, also where they make the URL invalid."""
    return _CREDENTIALS.sub("***@", text)


def configure(*, service: str, level: str = "info", as_json: bool = False) -> None:
    """Configure structlog for this process; `service` is on every line."""
    render: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            LimitLines(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # plain, without locals, and before the scrubbing
            _scrub_event,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(_Lossy(sys.stderr)),  # type: ignore[arg-type]
    )
    structlog.contextvars.bind_contextvars(service=service)


class _Lossy:
    """A stream that loses lines that cannot be written: a log on a full disk must not end the service."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _scrub_event(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401
    return {key: _scrubbed(value) for key, value in event.items()}


def _scrubbed(value: object) -> object:
    match value:
        case str():
            return scrub(value)
        case None | bool() | int() | float():
            return value
        case dict():
            return {key: _scrubbed(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_scrubbed(inner) for inner in value]
        case _:
            return scrub(repr(value))
