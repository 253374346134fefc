"""A limit on log lines that anybody can cause by sending requests, so that they fill neither a log nor its disk."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

import structlog

LINES, SECONDS = 10, 60.0
"""Lines of each kind that are written, and within which time."""
MOST_KINDS = 1000
KEY = "per_request"
"""A logger that is bound to this, `structlog.get_logger(per_request=True)`, is limited; another value is the kind."""


@dataclass(slots=True)
class _Kind:
    since: float
    admitted: int = 0
    left_out: int = 0


class LineLimiter:
    """Counts the lines of each kind.

    Args:
        monotonic: clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kinds: OrderedDict[Hashable, _Kind] = OrderedDict()
        self._lock = Lock()

    def admit(self, kind: Hashable) -> int | None:
        """How many lines of this kind were left out before this one; None if this one is to be left out as well."""
        with self._lock:
            now = self._monotonic()
            found = self._kinds.setdefault(kind, _Kind(now))
            self._kinds.move_to_end(kind)
            if len(self._kinds) > MOST_KINDS:
                self._kinds.popitem(last=False)
            left_out = 0
            if now - found.since >= SECONDS:
                left_out, self._kinds[kind] = found.left_out, _Kind(now)
                found = self._kinds[kind]
            if found.admitted >= LINES:
                found.left_out += 1
                return None
            found.admitted += 1
            return left_out

    def is_last(self, kind: Hashable) -> bool:
        """Whether the next line of this kind would be left out now."""
        with self._lock:
            found = self._kinds.get(kind)
            return found is not None and found.admitted >= LINES


class LimitLines:
    """A processor of structlog: leaves out lines of loggers that are bound to `KEY`, above the limit."""

    def __init__(self) -> None:
        self._limiter = LineLimiter()

    def __call__(self, _logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        value = event.pop(KEY, None)
        if value is None:
            return event
        kind = method, event["event"] if value is True else value
        left_out = self._limiter.admit(kind)
        if left_out is None:
            raise structlog.DropEvent
        if left_out:
            event["left_out"] = left_out
        if self._limiter.is_last(kind):
            event["note"] = "further lines like this are left out for up to a minute"
        return event
