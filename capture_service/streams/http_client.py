"""Requests to one HTTP camera, at addresses that were checked before.

Not FFmpeg but Python connects, so that the address is the checked one, no redirect is followed unseen, a failure has a
reason, and every wait has a bound.
"""

import io
import socket
import ssl
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from urllib.parse import urljoin

from capture_service.sources.reasons import status_reason
from capture_service.streams.frames import StreamFailure
from capture_service.streams.http_authentication import Authentication
from contract.network import Address
from contract.stream_url import StreamUrl, UnusableUrl

MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {"User-Agent": "Emotii", "Accept": "*/*", "Connection": "keep-alive"}
_READ_BYTES = 1 << 16


class HttpClient:
    """Sends GET requests for one URL.

    Args:
        url: of the camera.
        addresses: to connect to; None: whatever the resolver returns for the host.
        follows: whether redirects are followed. Never with `addresses`: another host was not checked.
    """

    def __init__(self, url: StreamUrl, addresses: Sequence[Address] | None, *, follows: bool) -> None:
        self._url = url
        self._addresses = addresses
        self._follows = follows and addresses is None
        self._authentication = Authentication(url.user, url.password)
        self._connection: _Connection | None = None
        self._response: HTTPResponse | None = None

    def get(self, seconds: float) -> HTTPResponse:
        """The response with status 200, within `seconds`; then its body can be read until `deadline`.

        Raises:
            StreamFailure: there is none; the message says why.
            OSError: the connection failed.
        """
        deadline = time.monotonic() + seconds
        for _ in range(MOST_REDIRECTS + 1):
            response = self._authenticated(deadline)
            if response.status == 200:
                return response
            if response.status not in _REDIRECTS or not self._follows:
                raise StreamFailure(status_reason(response.status))
            self._redirect(response.headers.get("Location", ""))
        raise StreamFailure(f"it redirects more than {MOST_REDIRECTS} times")

    def deadline(self, seconds: float) -> None:
        """From now on the body may be read for `seconds`; then `TimeoutError` is raised."""
        if self._connection is not None:
            self._connection.deadline = time.monotonic() + seconds

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._response is not None:
            self._response.close()  # a connection that the camera will close does not know its response
            self._response = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _authenticated(self, deadline: float) -> HTTPResponse:
        response = self._answered(deadline)
        if response.status == 401 and self._authentication.answers(response.headers.get_all("WWW-Authenticate") or []):
            self.close()  # the body of the refusal is of no use
            response = self._answered(deadline)
        return response

    def _answered(self, deadline: float) -> HTTPResponse:
        reused = self._connection is not None and self._connection.sock is not None
        try:
            return self._request(deadline)
        except (RemoteDisconnected, ConnectionError):
            self.close()
            if not reused:
                raise
            return self._request(deadline)  # the camera had closed the connection meanwhile
        except BaseException:
            self.close()
            raise

    def _request(self, deadline: float) -> HTTPResponse:
        if self._connection is None:
            self._connection = _Connection(self._url, self._addresses)
        self._connection.deadline = deadline
        headers: dict[str, str | bytes] = {**_HEADERS, "Host": self._url.place}
        headers |= self._authentication.headers(self._url)
        self._connection.request("GET", self._url.target, headers=headers)
        self._response = self._connection.getresponse()
        return self._response

    def _redirect(self, location: str) -> None:
        try:
            target = StreamUrl.parse(urljoin(self._url.at(self._url.host), location))
        except (UnusableUrl, ValueError):
            raise StreamFailure("it redirects to something that is no URL") from None
        if target.scheme not in {"http", "https"}:
            raise StreamFailure(f"it redirects to {target.scheme}://")
        same = (target.scheme, target.host, target.port) == (self._url.scheme, self._url.host, self._url.port)
        if not same:
            self._authentication = Authentication(target.user, target.password)
        self._url = target
        self.close()


class _Connection(HTTPConnection):
    """A connection to the first address that accepts one; `deadline` bounds all that is done with it."""

    def __init__(self, url: StreamUrl, addresses: Sequence[Address] | None) -> None:
        super().__init__(url.host, url.port)
        self.deadline = 0.0
        self._url = url
        self._hosts = [url.host] if addresses is None else [str(address) for address in addresses]
        self.response_class = lambda sock, *others, **named: _Response(sock, self, *others, **named)  # type: ignore[assignment]

    def connect(self) -> None:
        self.sock = self._connected()
        if self._url.encrypted:
            self.sock.settimeout(self.seconds_left())
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self._url.host)
        self.sock.settimeout(self.seconds_left())

    def seconds_left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _connected(self) -> socket.socket:
        for place, host in enumerate(self._hosts):
            share = self.seconds_left() / (len(self._hosts) - place)
            try:
                return socket.create_connection((host, self._url.port), share)
            except OSError:
                if place == len(self._hosts) - 1:
                    raise
        raise OSError("no address")


class _Response(HTTPResponse):
    """A response whose bytes come until the deadline of its connection, and not a moment later."""

    def __init__(self, sock: socket.socket, connection: _Connection, *others: object, **named: object) -> None:
        super().__init__(sock, *others, **named)  # type: ignore[arg-type]
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReading(sock.makefile("rb", buffering=0), sock, connection), _READ_BYTES)


class _TimedReading(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, connection: _Connection) -> None:
        self._raw, self._sock, self._connection = raw, sock, connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int | None:  # type: ignore[override]
        self._sock.settimeout(self._connection.seconds_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _tls() -> ssl.SSLContext:
    """Certificates are not verified, since hardly any camera has one that can be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
