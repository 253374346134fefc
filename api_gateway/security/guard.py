"""Who may ask: the Host allow-list, the refusal of other sites, the grant, and headers that make browsers careful."""

from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.errors import ApiError
from api_gateway.security.access import Access

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
"""Old clients save by GET, so the method alone does not tell what is harmless."""
PROBES = {"/healthz", "/readyz", "/metrics"}
"""Asked by address from a cluster, so any Host will do; they tell nothing about faces. `/metrics` names the sources,
so with tokens it wants one."""
PAGES = {"/", "/camera"}
"""Who has not signed in is led from here to where that is done."""
ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def host_name(host: str) -> str:
    """The name in a Host header, without its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def same_origin(headers: Headers, allowed: Collection[str] = ()) -> bool:
    """Whether this gateway's own page asks, one of the `allowed` origins, or a program that is no browser.

    Such programs, curl for one, send neither header.
    """
    origin, host = headers.get("origin"), headers.get("host", "").lower()
    if origin is not None and origin.lower() in allowed:
        return True
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return False
    return origin is None or (host != "" and origin.lower() in {f"http://{host}", f"https://{host}"})


class Guard:
    """Middleware round everything.

    Args:
        app: what is guarded.
        allowed_hosts: names that a Host header may have.
        bound_host: the address that the gateway listens on; allowed, too, if it is one address.
        access: tells what a request may do.
        origins: other sites whose pages may use this gateway.
    """

    def __init__(
        self, app: ASGIApp, allowed_hosts: Iterable[str], bound_host: str, access: Access, origins: Collection[str] = ()
    ) -> None:
        own = f"[{bound_host}]" if ":" in bound_host else bound_host
        self._app = app
        self._access = access
        self._origins = {origin.lower() for origin in origins}
        self._allowed = {host.lower() for host in allowed_hosts} | ({own.lower()} - ANY_ADDRESS - {"[::]"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)

        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if refusal is None:
            await self._app(scope, receive, careful)
        elif refusal.status == 401 and scope["path"] in PAGES and "text/html" in Headers(scope=scope).get("accept", ""):
            await RedirectResponse(f"/sign-in?page={scope['path']}", 303)(scope, receive, careful)
        else:
            await refusal.answer()(scope, receive, careful)  # for a WebSocket this answers the handshake

    def _refusal(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        path = scope["path"]
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else ""  # of two, one could be checked and the other read
        if path not in PROBES and name not in self._allowed:
            return ApiError(
                400, "unknown_host", f"this gateway is not called {name[:100]!r}; EMOTII_ALLOWED_HOSTS lists its names"
            )
        changing = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS or path in CHANGING_PATHS
        if changing and not same_origin(headers, self._origins):
            return ApiError(403, "foreign_origin", "another site's page may not do this")
        try:
            self._access.admit(scope)
        except ApiError as error:
            return error
        return None
