"""A server between a client and Redis, which for a time answers every command with the same bytes."""

import socket
from collections.abc import Callable
from threading import Event, Thread

from emotii.local.redis_server import PrivateServer


class Replying:
    """Passes everything on to `server`; while `broken` is set it answers `reply` to whatever comes, and asks nobody."""

    def __init__(self, server: PrivateServer, reply: bytes) -> None:
        self.broken = Event()
        self.answered = 0
        self._server = server
        self._reply = reply
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listening.getsockname()[1]}/0"

    def __enter__(self) -> "Replying":
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                asking, _ = self._listening.accept()
            except OSError:
                return  # closed: the test is over
            answering = self._connected()
            self._connections += [asking, answering]
            Thread(target=self._pass_on, args=(asking, answering, self._instead), daemon=True).start()
            Thread(target=self._pass_on, args=(answering, asking, lambda _: False), daemon=True).start()

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._server.url.removeprefix("unix://").partition("?")[0])
        return connection

    def _instead(self, asking: socket.socket) -> bool:
        if self.broken.is_set():
            asking.sendall(self._reply)
            self.answered += 1
        return self.broken.is_set()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, instead: Callable[[socket.socket], bool]) -> None:
        try:
            while data := source.recv(65536):
                if not instead(source):
                    target.sendall(data)
        except OSError:
            pass  # one side is gone, and so the other
        for one in (source, target):
            one.close()
