"""Serving the application: the socket, uvicorn's limits, and an end that nobody can hold up."""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import structlog
import uvicorn

from api_gateway.app import create_app
from api_gateway.exposure import check_reach
from api_gateway.settings import GatewaySettings
from api_gateway.websocket.protocol import PushingProtocol
from contract.errors import SettingsError

logger = structlog.get_logger()
GRACE_SECONDS = 2
UNSENT_SECONDS = 2.0
"""A closed connection whose other side takes nothing is cut after so long."""
SILENT_SECONDS = 10.0
"""A connection that does not say within so long what it wants is cut: so many of them would keep others out."""
SEND_BUFFER_BYTES = 256 * 1024
"""A few pictures of video. The kernel would let it grow to megabytes: seconds of video that a slow viewer sees late,
and seconds more until one that stopped reading is noticed."""
WEBSOCKET_TEXT_LIMIT = 64 * 1024
QUEUED_WEBSOCKET_MESSAGES = 4
"""That a connection may have unread: with a picture in each, more would be a lot of memory for one that floods."""


def serve(settings: GatewaySettings, stop: Event) -> None:
    """Serve until `stop` is set.

    Raises:
        SettingsError: the address or port cannot be had.
        SystemExit: with 1, if a background task failed.
    """
    _log_through_structlog()
    check_reach(settings)
    listening = listen(settings.host, settings.port)
    app = create_app(settings, stop.set)
    config = uvicorn.Config(
        app,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=settings.max_connections,
        # Above the limit on pictures, so that one that is only a little too large is refused in words.
        ws_max_size=settings.camera_frame_limit + WEBSOCKET_TEXT_LIMIT,
        ws=PushingProtocol,
        ws_per_message_deflate=False,  # it would be done for each client anew; a proxy before this may do it
        ws_max_queue=QUEUED_WEBSOCKET_MESSAGES,
        ws_ping_interval=3,  # together well under the ten seconds after which a client that stopped reading is gone
        ws_ping_timeout=5,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    host, port = listening.getsockname()[:2]
    logger.info("gateway listens", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    Server(config, stop, app.state.gateway.viewers.end_all).run(sockets=[listening])
    if app.state.failed:
        sys.exit(1)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsError: the host has no such address, or the port is taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"EMOTII_HOST={host} EMOTII_PORT={port}: cannot listen there: {reason}") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # accepted ones inherit it
    return listening


class Server(uvicorn.Server):
    """uvicorn, stopped by our event instead of its own signal handlers.

    Args:
        config: of uvicorn.
        stop: ends the server when set.
        end_streams: called before connections are waited for; ends answers that would never end by themselves.
    """

    def __init__(self, config: uvicorn.Config, stop: Event, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop = stop
        self._end_streams = end_streams
        self._closing: dict[asyncio.Transport, float] = {}
        self._silent: dict[asyncio.Transport, float] = {}

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        transports = [connection.transport for connection in self.server_state.connections]
        closing = {transport for transport in transports if transport and transport.is_closing()}
        self._closing = _cut(closing, self._closing, UNSENT_SECONDS)
        asking = filter(_asks, self.server_state.connections)
        self._silent = _cut({connection.transport for connection in asking}, self._silent, SILENT_SECONDS)
        return await super().on_tick(counter) or self._stop.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


def _asks(connection: Any) -> bool:  # noqa: ANN401 - uvicorn has several classes for it, without a common one
    """Whether it is about to send a request: the first one, or the rest of one whose beginning is there."""
    if not hasattr(connection, "cycle") or connection.timeout_keep_alive_task is not None:
        return False  # a WebSocket, or one that rests, for which uvicorn has a limit itself
    return connection.cycle is None or connection.cycle.response_complete


def _cut(
    transports: set[asyncio.Transport], since: dict[asyncio.Transport, float], seconds: float
) -> dict[asyncio.Transport, float]:
    """Cut those that were among them for so long; since when the others are."""
    now = time.monotonic()
    found = {transport: since.get(transport, now) for transport in transports if transport}
    for transport, began in found.items():
        if now - began > seconds:
            # Closing would wait until everything is sent, which a client that reads nothing can delay without end.
            transport.abort()
    return found


class _Structlog(logging.Handler):
    """What uvicorn and its protocols log, in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        logger.log(record.levelno, record.getMessage().strip(), logger=record.name, exc_info=record.exc_info or None)


def _log_through_structlog() -> None:
    root = logging.getLogger()
    root.handlers = [_Structlog()]
    root.setLevel(logging.WARNING)
