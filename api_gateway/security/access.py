"""Who may do what: a role for every request, found once by the guard and demanded by the routes.

Without tokens everybody who reaches the gateway is an operator. With tokens everything but `OPEN` wants one, as
`Authorization: Bearer TOKEN` or as the session that `POST /api/v1/session` begins.
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

from api_gateway.errors import ApiError
from api_gateway.security import sessions, tokens
from api_gateway.security.rate_limit import AttemptLimiter
from api_gateway.security.tokens import EVERYBODY, Grant, Token

logger = structlog.get_logger()
PLACE = "emotii.grant"
"""Where a request's scope holds its `Grant`, or None for somebody who has not signed in."""
OPEN = {"/healthz", "/readyz", "/sign-in", "/favicon.ico", "/api/v1/session"}
OPEN_BELOW = "/static/"
"""The page's own files: the same on every machine, and needed for signing in."""


class Access:
    """Tells what a request may do.

    Args:
        known: the tokens; none of them: everybody may do everything.
        life: how long a session lasts.
    """

    def __init__(self, known: Iterable[Token], life: timedelta) -> None:
        self.tokens = tuple(known)
        self.life = life
        self._attempts = AttemptLimiter()

    @property
    def on(self) -> bool:
        """Whether tokens are asked for."""
        return bool(self.tokens)

    def admit(self, scope: Scope) -> None:
        """Put the grant of a request where `Viewer` and `Operator` look for it.

        Raises:
            ApiError: it has none and needs one, or its address has tried too many wrong tokens.
        """
        grant = self._grant(scope) if self.on else EVERYBODY
        if grant is None and not is_open(scope["path"]):
            raise unauthorized()
        scope[PLACE] = grant

    def try_token(self, secret: str, address: str) -> Token:
        """The token with this secret.

        Raises:
            ApiError: there is none, or this address has tried too many wrong ones and has to wait.
        """
        if wait := self._attempts.wait(address):
            seconds = math.ceil(wait)
            raise ApiError(
                429, "too_many_attempts", f"too many wrong tokens; wait {seconds} s", {"Retry-After": str(seconds)}
            )
        if (token := tokens.find(self.tokens, secret)) is None:
            self._attempts.count(address)
            logger.warning("a wrong token was refused", address=address)
            raise ApiError(401, "wrong_token", "there is no such token (EMOTII_TOKENS)", CHALLENGE)
        return token

    def _grant(self, scope: Scope) -> Grant | None:
        headers = Headers(scope=scope)
        if (given := headers.get("authorization")) is not None:
            scheme, _, secret = given.partition(" ")
            if scheme.lower() != "bearer":
                raise unauthorized()
            return self.try_token(secret.strip(), address_of(scope)).grant
        if value := _cookie(headers):
            token = sessions.token_of(self.tokens, value, self.life)
            return token.grant if token else None
        return None


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Emotii"'}


def unauthorized() -> ApiError:
    """It was not said who asks."""
    return ApiError(401, "unauthorized", "sign in at /sign-in, or send Authorization: Bearer TOKEN", CHALLENGE)


def is_open(path: str) -> bool:
    """Whether this is for everybody."""
    return path in OPEN or path.startswith(OPEN_BELOW)


def address_of(scope: Scope) -> str:
    """Where a request comes from; of a proxy's clients all have the proxy's."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def grant_of(connection: HTTPConnection) -> Grant:
    """What this request may do.

    Raises:
        ApiError: who asks has not signed in.
    """
    grant: Grant | None = connection.scope[PLACE]
    if grant is None:
        raise unauthorized()
    return grant


def must_see(grant: Grant, source: str) -> None:
    """Refuse what belongs to a source that this grant does not see, whether there is such a source or not.

    Raises:
        ApiError: it does not.
    """
    if not grant.sees(source):
        raise ApiError(403, "forbidden", f"this token is not for source {source[:40]!r}")


class _Bearer(HTTPBearer):
    """For the document alone: the guard has read the header."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Nothing."""


class _Cookie(APIKeyCookie):
    """For the document alone, as `_Bearer`."""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Nothing."""


_BEARER = _Bearer(scheme_name="token", description="A token of EMOTII_TOKENS; without that setting none is needed.")
_SESSION = _Cookie(name=sessions.COOKIE, scheme_name="session", description="Begun by POST /api/v1/session.")


async def _source_viewer(
    connection: HTTPConnection,
    _bearer: Annotated[None, Security(_BEARER)],
    _cookie: Annotated[None, Security(_SESSION)],
) -> Grant:
    return grant_of(connection)


async def _viewer(grant: Annotated[Grant, Depends(_source_viewer)]) -> Grant:
    if grant.sources is not None:
        raise ApiError(403, "forbidden", "this token is for single sources, and this tells of all of them")
    return grant


async def _operator(grant: Annotated[Grant, Depends(_source_viewer)]) -> Grant:
    if grant.role != "operator":
        raise ApiError(403, "forbidden", "this token may look, not change anything; it takes an operator's")
    return grant


SourceViewer = Annotated[Grant, Depends(_source_viewer)]
"""May see some sources at least; the route has to ask `Grant.sees` of everything that belongs to a source."""
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
