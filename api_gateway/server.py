"""Serves the application: the socket, uvicorn's limits, and a shutdown that no client can delay."""

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
from api_gateway.gateway import Gateway
from api_gateway.settings import GatewaySettings
from api_gateway.websocket.protocol import PushingProtocol
from contract.errors import SettingsError, reason_of

logger = structlog.get_logger()
GRACE_SECONDS = 2
UNSENT_SECONDS = 2.0
"""A closed connection whose client reads nothing is aborted after this long."""
SILENT_SECONDS = 10.0
"""A connection without a complete request is aborted after this long: many of them would keep other clients out."""
SEND_BUFFER_BYTES = 256 * 1024
"""A few pictures of video. The kernel would let it grow to megabytes: seconds of latency for a slow viewer, and seconds
more until a viewer that stopped reading is noticed."""
WEBSOCKET_TEXT_LIMIT = 64 * 1024
QUEUED_WEBSOCKET_MESSAGES = 4
"""Limit on the unread messages of a connection: with a picture in each, a flood would take a lot of memory."""


def serve(settings: GatewaySettings, stop: Event) -> None:
    """Serve until `stop` is set.

    Raises:
        SettingsError: the address or port is not available.
        SystemExit: with 1, if a background task failed.
    """
    _log_through_structlog()
    check_reach(settings)
    listening = listen(settings.host, settings.port)
    gateway, failed = Gateway(settings), Event()

    def on_failure() -> None:
        failed.set()
        stop.set()

    app = create_app(gateway, on_failure)
    config = uvicorn.Config(
        app,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=settings.max_connections,
        # Above the limit on pictures, so that the gateway refuses one that is a little too large with the reason.
        ws_max_size=settings.camera_frame_limit + WEBSOCKET_TEXT_LIMIT,
        ws=PushingProtocol,
        ws_per_message_deflate=False,  # it would compress again for each client; a proxy can do it
        ws_max_queue=QUEUED_WEBSOCKET_MESSAGES,
        ws_ping_interval=3,  # together well under ten seconds, the limit for a client that stopped reading
        ws_ping_timeout=5,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    host, port = listening.getsockname()[:2]
    logger.info("gateway listens", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    Server(config, stop, gateway.viewers.end_all).run(sockets=[listening])
    if failed.is_set():
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
        reason = reason_of(error)
        raise SettingsError(f"EMOTII_HOST={host} EMOTII_PORT={port}: cannot listen there: {reason}") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # accepted ones inherit it
    return listening


class Server(uvicorn.Server):
    """uvicorn, stopped by our event instead of its own signal handlers.

    Args:
        config: of uvicorn.
        stop: stops the server when set.
        end_streams: called before the server waits for its connections; ends the endless responses.
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
        self._closing = _abort_overdue(closing, self._closing, UNSENT_SECONDS)
        requesting = filter(_is_requesting, self.server_state.connections)
        self._silent = _abort_overdue({connection.transport for connection in requesting}, self._silent, SILENT_SECONDS)
        return await super().on_tick(counter) or self._stop.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


def _is_requesting(connection: Any) -> bool:  # noqa: ANN401 - uvicorn has several classes for it, without a common one
    """Whether the server waits for a request of this connection, or for the rest of one."""
    if not hasattr(connection, "cycle") or connection.timeout_keep_alive_task is not None:
        return False  # a WebSocket, or an idle one, for which uvicorn has its own limit
    return connection.cycle is None or connection.cycle.response_complete


def _abort_overdue(
    transports: set[asyncio.Transport], since: dict[asyncio.Transport, float], seconds: float
) -> dict[asyncio.Transport, float]:
    """Abort the transports that were in this state for so long; returns since when the others are in it."""
    now = time.monotonic()
    found = {transport: since.get(transport, now) for transport in transports if transport}
    for transport, began in found.items():
        if now - began > seconds:
            # Closing would wait until everything is sent, which a client that reads nothing can delay without end.
            transport.abort()
    return found


class _StructlogHandler(logging.Handler):
    """Formats the log records of uvicorn and its protocols as ours."""

    def emit(self, record: logging.LogRecord) -> None:
        logger.log(record.levelno, record.getMessage().strip(), logger=record.name, exc_info=record.exc_info or None)


def _log_through_structlog() -> None:
    root = logging.getLogger()
    root.handlers = [_StructlogHandler()]
    root.setLevel(logging.WARNING)
