"""Cameras in the dialects of the field: servers that send bytes as they are told, and streams opened on them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from capture_service.streams.camera import StreamCamera

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
    """

    def __init__(self, *replies: Reply, pause: float = 0.01) -> None:
        self._replies = replies
        self._pause = pause
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = connection.recv(8000)
                reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
                self.requests.append(request)
                for piece in reply(request) if callable(reply) else reply:
                    connection.sendall(piece)
                    time.sleep(self._pause)
            except OSError:
                return


@contextmanager
def raw_camera(*replies: Reply, pause: float = 0.01) -> Iterator[RawCamera]:
    """A running camera."""
    camera = RawCamera(*replies, pause=pause)
    try:
        yield camera
    finally:
        camera.close()


def stream(port: int, scheme: str = "http", user: str = "", added: bool = False, **options: object) -> StreamCamera:
    """The stream of a camera on this port, not yet open."""
    bounds = {"open_timeout": "2s", "stall_timeout": "2s", "camera_networks": "127.0.0.1/32"} | options
    settings = CaptureSettings(redis_url="unix:///nowhere", **bounds)
    return StreamCamera(SourceSpec("door", "stream", f"{scheme}://{user}127.0.0.1:{port}/live", added=added), settings)
