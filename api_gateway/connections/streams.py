"""Limits the streams, which are the connections that stay: videos and WebSockets."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api_gateway.connections.errors import TooManyConnections, TooManyStreams
from api_gateway.connections.limits import ConnectionLimits
from api_gateway.connections.protocol import ONLY_PROBES
from api_gateway.connections.request_bodies import has_body
from api_gateway.security.access import SCOPE_KEY as GRANT_KEY
from api_gateway.security.client_address import address_of
from api_gateway.security.guard import PROBES, SAFE_METHODS
from api_gateway.security.tokens import EVERYBODY, Grant
from contract.errors import EmotiiError

SETTINGS = "EMOTII_MAX_CONNECTIONS, EMOTII_MAX_CONNECTIONS_PER_ADDRESS"


class Streams:
    """Counts the open streams.

    Args:
        limits: on connections.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._open: Counter[str | Grant] = Counter()
        """By address, and by grant."""
        self._all = 0

    @contextmanager
    def place(self, address: str, grant: Grant | None) -> Iterator[None]:
        """Hold a place for a stream.

        Args:
            address: of the client.
            grant: of the request; everybody's, without tokens, has no limit.

        Raises:
            TooManyStreams: there are too many.
        """
        holders: list[str | Grant] = [address] if grant is None or grant is EVERYBODY else [address, grant]
        if self._all >= self._limits.streams:
            raise TooManyStreams(f"{self._all} videos and WebSockets are open ({SETTINGS})")
        for holder in holders:
            if self._open[holder] >= self._limits.streams_per_client:
                whose = "from this address" if holder == address else "with tokens of this role"
                raise TooManyStreams(f"{self._open[holder]} videos and WebSockets are open {whose} ({SETTINGS})")
        self._all += 1
        self._open.update(holders)
        try:
            yield
        finally:
            self._all -= 1
            self._open.subtract(holders)
            self._open = +self._open  # without those that hold none


class AdmitConnections:
    """Middleware behind the guard: refuses streams and connections above the limits.

    Args:
        app: the application.
        streams: counts the streams.
        videos: paths whose response has no end.
        refuse: makes the response of a request that is refused.
    """

    def __init__(
        self, app: ASGIApp, streams: Streams, videos: Collection[str], refuse: Callable[[EmotiiError], Response]
    ) -> None:
        self._app = app
        self._streams = streams
        self._videos = videos
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope.get("state", {}).get(ONLY_PROBES) and not _is_probe(scope):
                raise TooManyConnections(f"all connections are in use; try again soon ({SETTINGS})")
            if self._is_stream(scope):
                with self._streams.place(address_of(scope), scope[GRANT_KEY]):
                    await self._app(scope, receive, send)
                return
        except (TooManyConnections, TooManyStreams) as error:
            await self._refuse(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_stream(self, scope: Scope) -> bool:
        if scope["type"] == "websocket":
            return True
        return scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in self._videos


def _is_probe(scope: Scope) -> bool:
    """Whether a request is answered at once: a body that does not arrive would keep a place of the probes."""
    if scope["type"] != "http" or scope["path"] not in PROBES:
        return False
    return scope["method"] in SAFE_METHODS and not has_body(Headers(scope=scope))
