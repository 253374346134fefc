"""uvicorn's WebSocket protocol with a fast path: a frame that is the same for all clients is written as it is.

The path through ASGI costs a task switch, a time-out and an encoding for each client and message, several times the
cost of the write itself.
"""

from asyncio import Transport
from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from api_gateway.websocket.client import Push

EXTENSION = "emotii.push"


class PushingProtocol(WebSocketsSansIOProtocol):
    """Offers `push` to the application, as an extension in the ASGI scope.

    Args:
        on_lost: called with the transport when the connection has ended.
    """

    def __init__(self, *args: Any, on_lost: Callable[[Transport], None], **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._on_lost = on_lost

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._on_lost(self.transport)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            self.scope["extensions"][EXTENSION] = {"push": self.push}

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
