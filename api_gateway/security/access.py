"""Authorization: the guard finds the grant of each request once, and the routes require a role.

Without tokens everybody who reaches the gateway is an operator. With tokens everything except `OPEN` requires one: as
`Authorization: Bearer TOKEN`, or as the session that `POST /api/v1/session` begins.
"""

import math
from collections.abc import Iterable
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Annotated

import structlog
from fastapi import Depends, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from api_gateway.security import sessions, tokens
from api_gateway.security.client_address import address_of
from api_gateway.security.errors import Forbidden, TooManyAttempts, Unauthorized, WrongToken
from api_gateway.security.rate_limit import AttemptLimiter
from api_gateway.security.tokens import EVERYBODY, Grant, Token

logger = structlog.get_logger(per_request=True)
SCOPE_KEY = "emotii.grant"
"""The key of a request's scope under which its `Grant` is; None: not signed in."""
OPEN = {"/healthz", "/readyz", "/sign-in", "/favicon.ico", "/api/v1/session"}
OPEN_BELOW = "/static/"
"""The page's own files: the same on every machine, and needed for signing in."""


class Access:
    """Finds the grant of each request.

    Args:
        accepted: the tokens; without any, everybody may do everything.
        session_duration: how long a session lasts.
    """

    def __init__(self, accepted: Iterable[Token], session_duration: timedelta) -> None:
        self.tokens = tuple(accepted)
        self.session_duration = session_duration
        self._attempts = AttemptLimiter()

    @property
    def on(self) -> bool:
        """Whether tokens are required."""
        return bool(self.tokens)

    def admit(self, scope: Scope) -> None:
        """Store the grant of a request in its scope, where `Viewer` and `Operator` read it.

        Raises:
            Unauthorized: the request has no valid token or session, and needs one.
            WrongToken: its token does not exist.
            TooManyAttempts: likewise, and its address has sent too many wrong tokens.
        """
        grant = self._grant(scope) if self.on else EVERYBODY
        if grant is None and not is_open(scope["path"]):
            raise Unauthorized
        scope[SCOPE_KEY] = grant

    def try_token(self, secret: str, address: str) -> Token:
        """The token with this secret. Others behind the same address cannot keep out somebody who has one.

        Raises:
            WrongToken: there is none.
            TooManyAttempts: there is none, and this address has sent too many wrong ones.
        """
        if (token := tokens.find(self.tokens, secret)) is not None:
            return token
        if wait := self._attempts.wait(address):
            raise TooManyAttempts(math.ceil(wait))
        self._attempts.count(address)
        logger.warning("wrong token refused", address=address)
        raise WrongToken("there is no such token (EMOTII_TOKENS)")

    def _grant(self, scope: Scope) -> Grant | None:
        headers = Headers(scope=scope)
        if (authorization := headers.get("authorization")) is not None:
            scheme, _, secret = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorized
            return self.try_token(secret.strip(), address_of(scope)).grant
        if value := _cookie(headers):
            token = sessions.token_of(self.tokens, value, self.session_duration)
            return token.grant if token else None
        return None


def is_open(path: str) -> bool:
    """Whether this path needs no token."""
    return path in OPEN or path.startswith(OPEN_BELOW)


def grant_of(connection: HTTPConnection) -> Grant:
    """The grant of this request.

    Raises:
        Unauthorized: it has none.
    """
    grant: Grant | None = connection.scope[SCOPE_KEY]
    if grant is None:
        raise Unauthorized
    return grant


def require_source(grant: Grant, source: str) -> None:
    """Refuse a source that this grant does not include, whether the source exists or not.

    Raises:
        Forbidden: the grant does not include it.
    """
    if not grant.sees(source):
        raise Forbidden(f"this token is not for source {source[:40]!r}")


class _Bearer(HTTPBearer):
    """For the OpenAPI document only: the guard has read the header."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Nothing."""


class _Cookie(APIKeyCookie):
    """For the OpenAPI document only, as `_Bearer`."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Nothing."""


_BEARER = _Bearer(scheme_name="token", description="A token of EMOTII_TOKENS; none is needed without that setting.")
_SESSION = _Cookie(name=sessions.COOKIE, scheme_name="session", description="Begun by POST /api/v1/session.")


async def _source_viewer(
    connection: HTTPConnection,
    _bearer: Annotated[None, Security(_BEARER)],
    _cookie: Annotated[None, Security(_SESSION)],
) -> Grant:
    return grant_of(connection)


async def _viewer(grant: Annotated[Grant, Depends(_source_viewer)]) -> Grant:
    if grant.sources is not None:
        raise Forbidden("this token is for single sources, and this is about all of them")
    return grant


async def _operator(grant: Annotated[Grant, Depends(_source_viewer)]) -> Grant:
    if grant.role != "operator":
        raise Forbidden("this token is a viewer's; changes require an operator's token")
    return grant


SourceViewer = Annotated[Grant, Depends(_source_viewer)]
"""May see at least some sources; the route has to check `Grant.sees` for everything that belongs to a source."""
Viewer = Annotated[Grant, Depends(_viewer)]
"""May see everything."""
Operator = Annotated[Grant, Depends(_operator)]
"""May save, delete, add and switch."""


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(sessions.COOKIE)
    except CookieError:
        return None
    return found.value if found else None
