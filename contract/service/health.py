"""The small HTTP server of a service that has no other: `/healthz` and Prometheus's `/metrics`.

As a program it is the health check of a container: `python -m contract.service.health URL` exits 0 if the response is
200.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from socketserver import ThreadingMixIn
from threading import Lock, Thread
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import make_wsgi_app

from contract.errors import SettingsError, reason_of
from contract.service.host_header import host_name, may_be_rebound

logger = structlog.get_logger(__name__)
MOST_CONNECTIONS = 64
IDLE_SECONDS = 5.0
"""A connection that sends nothing for so long is closed."""


class _Server(ThreadingMixIn, WSGIServer):
    """One thread for each connection, so that an idle one delays neither the next nor the end of the process.

    There are at most `MOST_CONNECTIONS`; then the oldest has to leave.
    """

    daemon_threads = True
    request_queue_size = 2 * MOST_CONNECTIONS
    block_on_close = False

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as in the base class
        super().__init__(*args)
        self._open: dict[socket, None] = {}
        self._lock = Lock()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        with self._lock:
            if len(self._open) >= MOST_CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                with suppress(OSError):  # its client has left meanwhile
                    oldest.shutdown(SHUT_RDWR)
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as in the base class
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        logger.debug("health check aborted", client=str(client_address), error=repr(sys.exception()))


class _Quiet(WSGIRequestHandler):
    timeout = IDLE_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the name is the base class's
        """Health checks come every few seconds and are not logged."""


@contextmanager
def health_server(
    host: str, port: int, alive: Callable[[], bool], allowed_hosts: Collection[str] = ()
) -> Iterator[int]:
    """Serve health and metrics on a thread; yields the port (`port` 0 takes a free one).

    Args:
        host: address to listen on.
        port: to listen on.
        alive: returns whether the service is well.
        allowed_hosts: names with a dot under which the metrics are served, too.

    Raises:
        SettingsError: the address cannot be bound.
    """
    metrics = make_wsgi_app()

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI has no closer types
        if environ["PATH_INFO"] != "/healthz":
            name = host_name(environ.get("HTTP_HOST", ""))
            if may_be_rebound(name) and name not in allowed_hosts:
                start_response("400 Bad Request", [("Content-Type", "text/plain")])
                return [b"unknown host: request this by address, or name the host in EMOTII_ALLOWED_HOSTS"]
            body: Iterable[bytes] = metrics(environ, start_response)
            return body
        status = "200 OK" if alive() else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain")])
        return [status.encode()]

    try:
        bound = make_server(host, port, application, _Server, _Quiet)
    except OSError as error:
        raise SettingsError(f"EMOTII_METRICS_PORT={port}: cannot listen on {host}: {reason_of(error)}") from error
    with bound as server:
        Thread(target=server.serve_forever, name="health", daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def is_healthy(url: str) -> bool:
    """Whether the response of `url` is 200, within 3 s."""
    try:
        with urlopen(url, timeout=3) as response:  # noqa: S310 - a health check's own address
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1]) else 1)
