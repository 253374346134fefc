"""uvicorn's HTTP protocol, in which a connection needs a place and the head of a request has a limited size.

httptools and uvicorn bound neither: a request line, a header, a trailer or a chunk extension without end, and requests
that are sent without waiting for their responses, would fill the memory before any middleware runs. And uvicorn hands a
connection over to its WebSocket protocol in states in which nothing would end it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api_gateway.connections.errors import HeadTooLarge, MalformedRequest
from api_gateway.connections.places import Admission, Places
from contract.errors import EmotiiError

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's address, headers and trailers, and of whatever stands between the parts of its body."""
HEADERS_LIMIT = 128
"""Headers and trailers of a request. As many as fit into `HEAD_LIMIT` would take forty times its memory."""
OPTIONAL_SPACE = b" \t"
"""Around the value of a header, of which it is no part (RFC 9110); llhttp leaves that behind a value."""
BODY_HEADERS = {b"content-length", b"transfer-encoding"}
PIPELINE_LIMIT = 16
"""Requests that wait for the response to an earlier one of their connection. Browsers send none."""
ONLY_PROBES = "emotii.only_probes"
"""Key in the `state` of the scope of a connection that is above the limits."""


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        places: gives the connection a place.
        refuse: makes the response to what is no request.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - uvicorn's
        places: Places,
        refuse: Callable[[EmotiiError], Response],
        **kwargs: Any,  # noqa: ANN401 - uvicorn's
    ) -> None:
        super().__init__(*args, **kwargs)
        self._places = places
        self._refuse = refuse
        self._upgraded = False
        self._head_bytes = 0
        """Of the current request, including its trailers."""
        self._head_lines = 0
        """Likewise."""
        self._head_complete = False
        self._unparsed = 0
        """Bytes received since the last complete part of a request."""
        self._refusal: EmotiiError | None = None
        self._answered: RequestResponseCycle | None = None
        """The request that is being answered; with pipelined ones, `cycle` is the last one."""

    @property
    def is_requesting(self) -> bool:
        """Whether the server waits for a request, or for the rest of one; a kept connection has uvicorn's own limit."""
        return self._is_idle() and self.timeout_keep_alive_task is None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        admission = self._places.take(transport, self._is_idle)
        if admission is Admission.NOTHING:
            transport.abort()
        elif admission is Admission.PROBES:
            self.app_state = {**self.app_state, ONLY_PROBES: True}

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._leave()
        self._places.release(self.transport)

    def handle_websocket_upgrade(self) -> None:
        self._upgraded = True
        super().handle_websocket_upgrade()
        websocket = self.transport.get_protocol()
        if isinstance(websocket, WebSocketsSansIOProtocol) and not websocket.handshake_initiated:
            # It got the whole head and cannot read it, for example because of a body, and would wait for more.
            self.send_400_response("this is no request for a WebSocket")

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > HEAD_LIMIT and not self._upgraded and not self.transport.is_closing():
            self._refusal = _head_too_large()
            self.send_400_response("")

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= PIPELINE_LIMIT:
            raise MalformedRequest("too many requests were sent before the response to the first one")
        super().on_message_begin()
        self._head_bytes = self._head_lines = 0
        self._head_complete = False

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value), lines=1)
        if not self._head_complete:  # a trailer is no header
            super().on_header(name, value.strip(OPTIONAL_SPACE))

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        self._head_complete = True
        if self.parser.should_upgrade() and self._should_upgrade():
            self._check_upgrade()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """The size of a chunk has been read; httptools calls it."""
        self._unparsed = 0

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request and close the connection; without a response if another one has begun."""
        if self.pipeline or (self.cycle is not None and self.cycle.response_started and not self._is_idle()):
            self.abort()
            return
        response = self._refuse(self._refusal or MalformedRequest(msg))
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n", response.body]))
        self.transport.close()

    def abort(self) -> None:
        """End the connection at once, without what is not sent yet."""
        self._leave()
        self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _leave(self) -> None:
        """Have the application learn that the client is gone before it writes; uvicorn tells only the last request."""
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _is_idle(self) -> bool:
        """Whether no request of this connection is being answered."""
        return not self._upgraded and (self.cycle is None or self.cycle.response_complete)

    def _check_upgrade(self) -> None:
        """Refuse an upgrade that would leave a response, or the rest of a request, without a protocol."""
        if any(name in BODY_HEADERS and value != b"0" for name, value in self.headers):
            self._refusal = MalformedRequest("the request of a WebSocket has no body")
        elif self.pipeline or not self._is_idle():
            self._refusal = MalformedRequest("a WebSocket begins after the response to the request before it")
        if self._refusal:
            raise self._refusal

    def _count_head(self, size: int, lines: int = 0) -> None:
        self._head_bytes += size
        self._head_lines += lines
        if self._head_bytes > HEAD_LIMIT or self._head_lines > HEADERS_LIMIT:
            self._refusal = _head_too_large()
            raise self._refusal


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(f"a request may have {HEADERS_LIMIT} headers, and with its address {HEAD_LIMIT} bytes of them")
