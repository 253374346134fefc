"""The audit log: one line of JSON for each request that may change something, without pictures."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.security.access import SCOPE_KEY as GRANT_KEY
from api_gateway.security.guard import CHANGING_PATHS, SAFE_METHODS
from contract.errors import reason_of
from contract.service.log_limit import LineLimiter

logger = structlog.get_logger()
SCOPE_KEY = "emotii.audit"
"""The key of a request's scope under which the facts are that its line holds besides its path."""
LONGEST_PATH = 200
CHANGING_NOTHING = {"/api/v1/predict"}
"""An uploaded picture is not kept."""


class AuditLog:
    """A file of lines that is rotated once.

    Args:
        path: of the file; its folder is created with its first line.
        limit: bytes after which the file replaces the previous one, `.1`, and a new one begins.
    """

    def __init__(self, path: Path, limit: int = 10_000_000) -> None:
        self._path = path
        self._limit = limit
        self._failure = ""

    def write(self, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Append a line. If that fails, the request goes on, and the gateway logs one warning."""
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        line = json.dumps({"at": at, **facts}, ensure_ascii=True) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "ab") as file:
                file.write(line.encode())  # one write, so that lines of several gateways do not mix
                full = file.tell() > self._limit
            if full:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError as error:
            if not self._failure:
                logger.warning("the audit log cannot be written", path=str(self._path), reason=reason_of(error))
            self._failure = str(error)
        else:
            self._failure = ""


class Audit:
    """Middleware behind the guard: logs each admitted request that may change something, with its status."""

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self._app = app
        self._log = log
        self._refused = LineLimiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _may_change(scope):
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        scope[SCOPE_KEY] = {}
        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            self._log_request(scope, status or 500)

    def _log_request(self, scope: Scope, status: int) -> None:
        """Log a request; of those without a token only some a minute, so that they do not rotate the others away.

        The one request without a grant that succeeds with 200 is a sign-in, and that has a token.
        """
        facts, grant = scope[SCOPE_KEY], scope.get(GRANT_KEY)
        if grant is None and status != 200:
            left_out = self._refused.admit(status)
            if left_out is None:
                return
            facts = facts | ({"left_out": left_out} if left_out else {})
        what = f"{scope.get('method', 'WEBSOCKET')} {scope['path'][:LONGEST_PATH]}"
        role = grant.role if grant else "nobody"
        self._log.write(what=what, role=role, status=status, **facts)


def note(request: Request, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Add these facts to the line of this request."""
    request.scope[SCOPE_KEY].update(facts)


def _may_change(scope: Scope) -> bool:
    if scope["type"] == "websocket":
        return bool(scope["path"].startswith("/ws/camera/"))
    if scope["type"] != "http" or scope["path"] in CHANGING_NOTHING:
        return False
    return scope["method"] not in SAFE_METHODS or scope["path"] in CHANGING_PATHS
