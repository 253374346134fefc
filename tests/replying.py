"""A server between a client and Redis, which can answer every command with the same bytes."""

import socket
from collections.abc import Callable
from threading import Event, Thread

from emotii.local.redis_server import PrivateServer


class Replying:
    """Forwards everything to `server`; while `broken` is set it sends `reply` to every command and forwards nothing."""

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
                client, _ = self._listening.accept()
            except OSError:
                return  # closed: the test is over
            upstream = self._connected()
            self._connections += [client, upstream]
            Thread(target=self._forward, args=(client, upstream, self._replied), daemon=True).start()
            Thread(target=self._forward, args=(upstream, client, lambda _: False), daemon=True).start()

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._server.url.removeprefix("unix://").partition("?")[0])
        return connection

    def _replied(self, client: socket.socket) -> bool:
        if self.broken.is_set():
            client.sendall(self._reply)
            self.answered += 1
        return self.broken.is_set()

    @staticmethod
    def _forward(source: socket.socket, target: socket.socket, handled: Callable[[socket.socket], bool]) -> None:
        try:
            while data := source.recv(65536):
                if not handled(source):
                    target.sendall(data)
        except OSError:
            pass  # one side is gone, and so the other
        for one in (source, target):
            one.close()
