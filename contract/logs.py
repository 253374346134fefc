"""Structured logs on stderr: one line a change of state, for people or (JSON) for machines, never with credentials."""

import logging
import re
import sys
from typing import Any

import structlog

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")


def scrub(text: str) -> str:
    """`text` with the user and password of every URL in it hidden."""
    return _CREDENTIALS.sub("***@", text)


def configure(*, service: str, level: str = "info", as_json: bool = False) -> None:
    """Set up structlog for this process; `service` is on every line."""
    render: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, sort_keys=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            _scrub_event,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(service=service)


def _scrub_event(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401
    return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}
