"""Cameras in the dialects of the field: servers that send bytes as they are told, and streams opened on them."""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from capture_service.streams.camera import StreamCamera
from tests.accepting import accept_connections

MULTIPART = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
Reply = Sequence[bytes] | Callable[[bytes], Sequence[bytes]]


def picture(shade: int = 90, size: tuple[int, int] = (160, 120)) -> bytes:
    """A JPEG of noise round this shade, so that it has scans of some length."""
    noise = np.random.default_rng(shade).integers(-20, 20, (size[1], size[0], 3))
    return cv2.imencode(".jpg", np.clip(noise + shade, 0, 255).astype(np.uint8))[1].tobytes()


def part(jpeg: bytes, boundary: bytes = b"frame") -> bytes:
    """A part of motion JPEG as the standard has it."""
    head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (boundary, len(jpeg))
    return head + jpeg + b"\r\n"


class RawCamera:
    """Answers each connection with bytes, piece by piece, and closes it.

    Args:
        replies: to the connections in turn; the last one to all others. A function gets the request.
        pause: seconds between two pieces.
        tls: encrypts the connections, if there is one.
    """

    def __init__(self, *replies: Reply, pause: float = 0.01, tls: ssl.SSLContext | None = None) -> None:
        self._replies = replies
        self._pause = pause
        self._tls = tls
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        accept_connections(self._socket, self._answer)

    def close(self) -> None:
        self._socket.close()

    def _answer(self, connection: socket.socket) -> None:
        with connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True) as connection:
            try:
                request = connection.recv(8000)
                reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
                self.requests.append(request)
                for piece in reply(request) if callable(reply) else reply:
                    connection.sendall(piece)
                    time.sleep(self._pause)
            except OSError:
                return


def tls(folder: Path, names: list[str | None]) -> ssl.SSLContext:
    """The context of a server with a certificate of its own, which notes the names that clients ask for."""
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera", *files]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    return context


@contextmanager
def raw_camera(*replies: Reply, pause: float = 0.01, tls: ssl.SSLContext | None = None) -> Iterator[RawCamera]:
    """A running camera."""
    camera = RawCamera(*replies, pause=pause, tls=tls)
    try:
        yield camera
    finally:
        camera.close()


def stream(port: int, scheme: str = "http", user: str = "", added: bool = False, **options: object) -> StreamCamera:
    """The stream of a camera on this port, not yet open."""
    bounds = {"open_timeout": "2s", "stall_timeout": "2s", "camera_networks": "127.0.0.1/32"} | options
    settings = CaptureSettings(redis_url="unix:///nowhere", **bounds)
    return StreamCamera(SourceSpec("door", "stream", f"{scheme}://{user}127.0.0.1:{port}/live", added=added), settings)
