"""Clients of a gateway for tests: readers of events and video, and some that do not read."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import cv2
import httpx
import numpy as np
from websockets.sync.client import ClientConnection


def events_of(client: ClientConnection, kind: str, seconds: float = 10) -> Iterator[dict[str, Any]]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = json.loads(client.recv(timeout=deadline - time.monotonic()))
        if isinstance(message, list):
            yield from (event for event in message if event["kind"] == kind)


def pictures_of(url: str, count: int, seconds: float = 20) -> list[np.ndarray]:
    """The first pictures of an MJPEG stream, decoded."""
    found: list[np.ndarray] = []
    with httpx.stream("GET", url, timeout=seconds) as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        buffered = b""
        for chunk in answer.iter_raw():
            buffered += chunk
            while (at := buffered.find(b"\r\n\r\n")) >= 0:
                length = int(buffered[:at].rsplit(b"Content-Length: ", 1)[1].split(b"\r\n")[0])
                if len(buffered) < at + 4 + length:
                    break
                jpeg, buffered = buffered[at + 4 : at + 4 + length], buffered[at + 4 + length :]
                found.append(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
                if len(found) == count:
                    return found
    raise AssertionError(f"the video ended after {len(found)} pictures")


def drain(client: ClientConnection) -> None:
    while True:
        client.recv(timeout=5)


def stalled_viewer(port: int) -> socket.socket:
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    viewer.connect(("127.0.0.1", port))
    viewer.sendall(b"GET /video_feed HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
    return viewer
