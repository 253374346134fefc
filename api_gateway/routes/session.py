"""`/api/v1/session`: signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api_gateway.routes.dependencies import AccessDep
from api_gateway.routes.openapi import Responses, error_example
from api_gateway.security import sessions
from api_gateway.security.access import Access, SourceViewer
from api_gateway.security.client_address import address_of
from api_gateway.security.errors import NoTokens
from api_gateway.security.tokens import Grant, Role

router = APIRouter(prefix="/api/v1/session", tags=["session"])
REFUSED: Responses = {
    401: error_example("No such token.", "wrong_token", "there is no such token (EMOTII_TOKENS)"),
    429: error_example(
        "Too many wrong tokens; `Retry-After` states when to try again.", "too_many_attempts", "too many wrong tokens"
    ),
}


class SignIn(BaseModel):
    """The token that a session begins with."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"example": {"token": "a token of EMOTII_TOKENS"}}
    )

    token: Annotated[str, Field(min_length=1, max_length=256, repr=False)]


class SessionResponse(BaseModel):
    """What the requests of this client may do."""

    model_config = {"json_schema_extra": {"example": {"role": "viewer", "sources": ["front"], "tokens": True}}}

    role: Role
    """viewer: see. operator: save, delete, add and switch, too."""
    sources: list[str] | None
    """A viewer may be limited to these sources; null: all sources."""
    tokens: bool
    """Whether tokens are required; without tokens everybody is an operator."""


@router.get("")
async def current(access: AccessDep, grant: SourceViewer) -> SessionResponse:
    """The role of this client (401: it is not signed in)."""
    return _response(grant, access)


@router.post("", responses=REFUSED)
async def sign_in(request: Request, response: Response, credentials: SignIn, access: AccessDep) -> SessionResponse:
    """Sign in with a token; the session is a cookie, which pictures and WebSockets accept, too."""
    if not access.on:
        raise NoTokens("there are no tokens here (EMOTII_TOKENS), so nobody has to sign in")
    token = access.try_token(credentials.token.strip(), address_of(request.scope))
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
    response.set_cookie(
        sessions.COOKIE,
        sessions.begin(token),
        max_age=int(access.session_duration.total_seconds()),
        httponly=True,  # no script can read it
        samesite="strict",  # no other site's page makes a browser send it
        secure=secure,
    )
    return _response(token.grant, access)


@router.delete("", status_code=204)
async def sign_out(response: Response) -> None:
    """End the session in this browser. To end sessions everywhere, remove their token from EMOTII_TOKENS."""
    response.delete_cookie(sessions.COOKIE, path="/", httponly=True, samesite="strict")


def _response(grant: Grant, access: Access) -> SessionResponse:
    sources = None if grant.sources is None else sorted(grant.sources)
    return SessionResponse(role=grant.role, sources=sources, tokens=access.on)
