"""Sends to one WebSocket: every message within a deadline, whatever became of the connection."""

import asyncio

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

logger = structlog.get_logger(per_request=True)
STALLED_SECONDS = 7.0
"""A client that reads nothing for this long is disconnected."""
CLOSED_BY_SERVER = "after sending 'websocket.close'"
"""uvicorn's message, in a RuntimeError, once it has itself closed a connection that broke the protocol."""


class ClientGone(Exception):  # noqa: N818 - what happened
    """The client has left, was disconnected by the server, or stopped reading."""


class Sender:
    """The sending side of an accepted WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, message: str | bytes) -> None:
        """Send a message, as text or binary.

        Raises:
            ClientGone: nobody receives it any more.
        """
        send = self._socket.send_text(message) if isinstance(message, str) else self._socket.send_bytes(message)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await send
        except TimeoutError:
            logger.info("a client that stopped reading was disconnected", path=self._socket.url.path)
            raise ClientGone from None
        except WebSocketDisconnect:
            raise ClientGone from None
        except RuntimeError as error:
            if CLOSED_BY_SERVER not in str(error):
                raise
            raise ClientGone from None

    async def close(self, text: str, code: int, reason: str) -> None:
        """Send a last message, and close the connection; does nothing if the client is already gone.

        Args:
            text: of the message.
            code: with which the connection is closed.
            reason: as one word.
        """
        try:
            await self.send(text)
            async with asyncio.timeout(STALLED_SECONDS):
                await self._socket.close(code, reason)
        except (ClientGone, WebSocketDisconnect, TimeoutError):
            return
