"""Ends connections that make no progress: without a complete request, unread, or closed but not gone."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from api_gateway.connections.protocol import HttpProtocol

UNSENT_SECONDS = 2.0
"""A closed connection whose client reads nothing is aborted after this long."""
UNREAD_SECONDS = 60.0
"""An open connection whose client reads nothing of a response is aborted after this long."""
NOTHING_UNSENT = -1


class OverdueConnections:
    """Ends them.

    Args:
        request_seconds: the time that the head of a request may take.
        monotonic: seconds.
    """

    def __init__(self, request_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._request_seconds = request_seconds
        self._monotonic = monotonic
        self._closing: dict[asyncio.Transport, float] = {}
        self._requesting: dict[asyncio.Transport, float] = {}
        self._unread: dict[asyncio.Transport, tuple[int, float]] = {}

    def end(self, connections: Iterable[Any]) -> None:
        """End those of uvicorn's connections that are overdue; call it several times a second."""
        present = [connection for connection in connections if connection.transport is not None]
        requesting = {one.transport for one in present if isinstance(one, HttpProtocol) and one.is_requesting}
        transports = {connection.transport for connection in present}
        closing = {transport for transport in transports if transport.is_closing()}
        self._closing = self._abort(closing, self._closing, UNSENT_SECONDS)
        self._requesting = self._abort(requesting, self._requesting, self._request_seconds)
        self._abort_unread(transports - closing)

    def _abort(
        self, transports: set[asyncio.Transport], since: dict[asyncio.Transport, float], seconds: float
    ) -> dict[asyncio.Transport, float]:
        """Abort the transports that were in this state for so long; returns since when the others are in it."""
        now = self._monotonic()
        found = {transport: since.get(transport, now) for transport in transports}
        for transport, began in found.items():
            if now - began > seconds:
                # Closing would wait until everything is sent, which a client that reads nothing can delay without end.
                transport.abort()
        return found

    def _abort_unread(self, transports: set[asyncio.Transport]) -> None:
        now, before, self._unread = self._monotonic(), self._unread, {}
        for transport in transports:
            if size := transport.get_write_buffer_size():
                last, since = before.get(transport, (NOTHING_UNSENT, now))
                self._unread[transport] = size, (since if size == last else now)
                if now - self._unread[transport][1] > UNREAD_SECONDS:
                    transport.abort()
