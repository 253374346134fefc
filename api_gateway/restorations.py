"""What this gateway wrote back to Redis, which had lost it: for the log, the audit log and the page."""

from typing import Any

import structlog

from api_gateway.security.audit import AuditLog
from contract import events
from contract.redis.clock import RedisClock

logger = structlog.get_logger()


class Restorations:
    """Reports every restoration, and remembers the last one.

    Args:
        audit: the audit log.
        clock: Redis's.
    """

    def __init__(self, audit: AuditLog, clock: RedisClock) -> None:
        self._audit = audit
        self._clock = clock
        self.last: events.Restored | None = None

    def report(self, what: str, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Redis had lost `what`, and has it again; `facts` say what it has, without secrets."""
        logger.warning("restored, redis had lost it", what=what, **facts)
        self._audit.write(what=f"RESTORE {what}", role="gateway", status=200, **facts)
        self.last = events.Restored(at_ms=self._clock.now_ms(), what=what)
