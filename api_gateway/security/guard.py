"""The guard around the application: allowed hosts, same origin, the grant, and security headers."""

from collections.abc import Callable, Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.security.access import Access
from api_gateway.security.errors import ForeignOrigin, Unauthorized, UnknownHostName, WrongToken
from contract.errors import EmotiiError
from contract.service.host_header import host_name, may_be_rebound

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CHANGING_PATHS = {"/save_current"}
"""Old clients save by GET, so the method alone does not show that a request changes nothing."""
LIVENESS = "/healthz"
"""It says "ok" under any name, and nothing else."""
PROBES = {LIVENESS, "/readyz", "/metrics"}
"""A cluster requests them by address or under a name without a dot. `/metrics` names the sources, so it requires a
token if there are any."""
PAGES = {"/", "/camera"}
"""From here, browsers without a session are redirected to the page for signing in."""
ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def same_origin(headers: Headers, allowed: Collection[str] = ()) -> bool:
    """Whether the request comes from this gateway's own page, one of the `allowed` origins, or not from a browser.

    Programs such as curl send neither header.
    """
    origin, host = headers.get("origin"), headers.get("host", "").lower()
    if origin is not None and origin.lower() in allowed:
        return True
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return False
    return origin is None or (host != "" and origin.lower() in {f"http://{host}", f"https://{host}"})


def _foreign(headers: Headers) -> str:
    """Why a request of a page is taken for another site's, and what is missing if it is not."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None:
        return "another site's page may not do this"
    seen = f"the page is from {origin[:100]!r}, and it sent this to the Host {host[:100]!r}"
    return (
        f"another site's page may not do this: {seen}. If the page is this gateway's own, a proxy changes Host: have it"
        f" pass Host on with its port (nginx: proxy_set_header Host $http_host), or set"
        f" EMOTII_ALLOWED_ORIGINS={origin[:100]}"
    )


class Guard:
    """Middleware around the whole application.

    Args:
        app: the application.
        allowed_hosts: names that a Host header may have.
        bound_host: the address that the gateway listens on; allowed, too, if it is a single address.
        access: finds the grant of a request.
        refuse: makes the response of a request that is refused.
        origins: other sites whose pages may use this gateway.
    """

    def __init__(
        self,
        app: ASGIApp,
        allowed_hosts: Iterable[str],
        bound_host: str,
        access: Access,
        refuse: Callable[[EmotiiError], Response],
        origins: Collection[str] = (),
    ) -> None:
        own = f"[{bound_host}]" if ":" in bound_host else bound_host
        self._app = app
        self._access = access
        self._refuse = refuse
        self._origins = {origin.lower() for origin in origins}
        self._allowed = {host.lower() for host in allowed_hosts} | ({own.lower()} - ANY_ADDRESS - {"[::]"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
        except EmotiiError as error:
            await self._response(error, scope)(scope, receive, send_secured)  # a WebSocket's handshake gets it, too
        else:
            await self._app(scope, receive, send_secured)

    def _response(self, error: EmotiiError, scope: Scope) -> Response:
        by_browser = "text/html" in Headers(scope=scope).get("accept", "")
        if isinstance(error, Unauthorized | WrongToken) and scope["path"] in PAGES and by_browser:
            return RedirectResponse(f"/sign-in?page={scope['path']}", 303)
        return self._refuse(error)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        path = scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) > 1:
            raise UnknownHostName("a request has one Host header: of two, one could be checked and the other used")
        name = host_name(hosts[0]) if hosts else ""
        if name not in self._allowed and path != LIVENESS and (path not in PROBES or may_be_rebound(name)):
            raise UnknownHostName(f"this gateway is not called {name[:100]!r}; EMOTII_ALLOWED_HOSTS lists its names")
        changing = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS or path in CHANGING_PATHS
        if changing and not same_origin(headers, self._origins):
            raise ForeignOrigin(_foreign(headers))
        self._access.admit(scope)
