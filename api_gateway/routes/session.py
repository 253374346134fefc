"""`/api/v1/session`: signing in and out, and `/sign-in`, the page for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api_gateway.errors import ApiError, refusal
from api_gateway.security import sessions
from api_gateway.security.access import Access, SourceViewer, address_of
from api_gateway.security.tokens import Grant, Role

router = APIRouter(prefix="/api/v1/session", tags=["session"])
WRONG: dict[int | str, dict[str, Any]] = {
    401: refusal("No such token.", "wrong_token", "there is no such token (EMOTII_TOKENS)"),
    429: refusal("Too many wrong tokens; `Retry-After` says when.", "too_many_attempts", "too many wrong tokens"),
}


class SignIn(BaseModel):
    """A token, for a session."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"example": {"token": "a token of EMOTII_TOKENS"}}
    )

    token: Annotated[str, Field(min_length=1, max_length=256, repr=False)]


class SessionAnswer(BaseModel):
    """What whoever asks may do."""

    model_config = {"json_schema_extra": {"example": {"role": "viewer", "sources": ["front"], "tokens": True}}}

    role: Role
    """viewer: see. operator: save, delete, add and switch, too."""
    sources: list[str] | None
    """A viewer may be limited to these; null: all there are."""
    tokens: bool
    """Whether tokens are asked for; without them everybody is an operator."""


@router.get("")
async def current(request: Request, grant: SourceViewer) -> SessionAnswer:
    """Who I am here (401: I have not signed in)."""
    return _answer(grant, _access(request))


@router.post("", responses=WRONG)
async def sign_in(request: Request, response: Response, said: SignIn) -> SessionAnswer:
    """Sign in with a token; the session is a cookie that serves pictures and WebSockets, too."""
    access = _access(request)
    if not access.on:
        raise ApiError(409, "no_tokens", "there are no tokens here (EMOTII_TOKENS), so nobody has to sign in")
    token = access.try_token(said.token.strip(), address_of(request.scope))
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
    response.set_cookie(
        sessions.COOKIE,
        sessions.begin(token),
        max_age=int(access.life.total_seconds()),
        httponly=True,  # no script can read it
        samesite="strict",  # no other site's page makes a browser send it
        secure=secure,
    )
    return _answer(token.grant, access)


@router.delete("", status_code=204)
async def sign_out(response: Response) -> None:
    """Forget the session in this browser. To end sessions everywhere, take their token out of EMOTII_TOKENS."""
    response.delete_cookie(sessions.COOKIE, path="/", httponly=True, samesite="strict")


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


def _answer(grant: Grant, access: Access) -> SessionAnswer:
    sources = None if grant.sources is None else sorted(grant.sources)
    return SessionAnswer(role=grant.role, sources=sources, tokens=access.on)
