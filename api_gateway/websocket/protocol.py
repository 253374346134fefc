"""uvicorn's WebSocket protocol with a fast path, and with limits on the frames that a client sends.

The fast path: a frame that is the same for all clients is written as it is. The path through ASGI costs a task switch,
a time-out and an encoding for each client and message, several times the cost of the write itself.

The limits: the smallest frame has six bytes and costs some ten microseconds, so one client could keep the event loop
for itself.
"""

import time
from asyncio import Transport
from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from api_gateway.websocket.client import Push

EXTENSION = "emotii.push"
FRAMES_A_SECOND = 1000
"""That a client may send: more than a page that shows 64 videos sends."""
FRAGMENTS = 256
"""Frames of one message."""
PIECE_BYTES = 4096
"""As much is parsed before the frames are counted."""
CAMERA = "/ws/camera/"
SMALL_MESSAGE = 256 * 1024
"""Bytes of a message, except of the pictures of a browser camera."""
POLICY_VIOLATION, MESSAGE_TOO_BIG = 1008, 1009
"""Close codes."""


class PushingProtocol(WebSocketsSansIOProtocol):
    """Offers `push` to the application, as an extension in the ASGI scope.

    Args:
        on_lost: called with the transport when the connection has ended.
    """

    def __init__(self, *args: Any, on_lost: Callable[[Transport], None], **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._on_lost = on_lost
        self._frames_left = float(FRAMES_A_SECOND)
        self._counted_at = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._on_lost(self.transport)

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)  # the head
            return
        for start in range(0, len(data), PIECE_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + PIECE_BYTES])

    def handle_events(self) -> None:
        now = time.monotonic()
        refilled = self._frames_left + (now - self._counted_at) * FRAMES_A_SECOND
        self._frames_left = min(refilled, FRAMES_A_SECOND) - len(self.conn.events)
        self._counted_at = now
        super().handle_events()
        if self.transport.is_closing():
            return
        if self._frames_left < 0:
            self._fail(POLICY_VIOLATION, f"more than {FRAMES_A_SECOND} frames a second")
        elif len(self.frames) > FRAGMENTS:
            self._fail(MESSAGE_TOO_BIG, f"a message of more than {FRAGMENTS} frames")

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            self.scope["extensions"][EXTENSION] = {"push": self.push}
            if not self.scope["path"].startswith(CAMERA):
                self.conn.max_message_size = SMALL_MESSAGE

    def _fail(self, code: int, reason: str) -> None:
        if self.close_sent:  # it goes on instead of answering
            self.transport.abort()
            return
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - uvicorn's own type is private
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # with a refusal; uvicorn would log an error for each

    def push(self, frame: bytes) -> bool:
        """Write a whole, unmasked frame of a message; returns False, and writes nothing, if that has to wait.

        Only valid without extensions such as `permessage-deflate`, and while no other message is half sent.
        """
        if not self.handshake_complete or self.close_sent or self.disconnected:
            return False
        if not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def push_of(scope: Scope) -> Push | None:
    """The fast path to a WebSocket's client; None under another server."""
    extension: dict[str, Any] = scope.get("extensions", {}).get(EXTENSION, {})
    return extension.get("push")
