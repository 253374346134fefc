"""Small servers of tests: a thread for each connection."""

import socket
import threading
from collections.abc import Callable


def accept_connections(listener: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    """Answer each connection on a thread of its own, until the listener is closed; returns at once."""

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
