"""Serves the application: the socket, uvicorn's limits, and a shutdown that no client can delay."""

import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any

import structlog
import uvicorn

from api_gateway.app import create_app
from api_gateway.connections.limits import within_open_files
from api_gateway.connections.overdue import OverdueConnections
from api_gateway.connections.places import Places
from api_gateway.connections.protocol import HttpProtocol
from api_gateway.errors import error_response
from api_gateway.exposure import check_reach
from api_gateway.gateway import Gateway
from api_gateway.settings import GatewaySettings
from api_gateway.websocket.protocol import PushingProtocol
from contract.errors import SettingsError, reason_of

logger = structlog.get_logger()
GRACE_SECONDS = 2
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
    limits = within_open_files(settings.connection_limits)
    listening = listen(settings.host, settings.port)
    gateway, places, failed = Gateway(settings), Places(limits), Event()

    def on_failure() -> None:
        failed.set()
        stop.set()

    app = create_app(gateway, on_failure, limits)
    config = uvicorn.Config(
        app,
        timeout_graceful_shutdown=GRACE_SECONDS,
        http=partial(HttpProtocol, places=places, refuse=error_response),  # type: ignore[arg-type]
        # Above the limit on pictures, so that the gateway refuses one that is a little too large with the reason.
        ws_max_size=settings.camera_frame_limit + WEBSOCKET_TEXT_LIMIT,
        ws=partial(PushingProtocol, on_lost=places.release),  # type: ignore[arg-type]
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
    overdue = OverdueConnections(settings.request_timeout.total_seconds())
    Server(config, stop, gateway.viewers.end_all, overdue).run(sockets=[listening])
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
        overdue: ends connections that make no progress.
    """

    def __init__(
        self, config: uvicorn.Config, stop: Event, end_streams: Callable[[], None], overdue: OverdueConnections
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._end_streams = end_streams
        self._overdue = overdue

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        self._overdue.end(self.server_state.connections)
        return await super().on_tick(counter) or self._stop.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


class _StructlogHandler(logging.Handler):
    """Formats the log records of uvicorn and its protocols as ours. Most are about a request, so all are limited."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.msg, record.exc_info and _place(record.exc_info)
        logger.log(
            record.levelno,
            record.getMessage().strip(),
            logger=record.name,
            exc_info=record.exc_info or None,
            per_request=kind,
        )


def _place(exc_info: tuple[Any, ...]) -> tuple[object, int | None]:
    """The type of an exception, and the line that raised it: other exceptions are not left out with this one."""
    kind, _, traceback = exc_info
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return kind, traceback and traceback.tb_lineno


def _log_through_structlog() -> None:
    root = logging.getLogger()
    root.handlers = [_StructlogHandler()]
    root.setLevel(logging.WARNING)
