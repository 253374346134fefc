"""The hosts that this process is connected to: a second look, since an RTSP server can lead FFmpeg to another host."""

import os
import socket
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address

from capture_service.streams.frames import StreamFailure
from contract.network import Address, unwrapped

_OWN_FDS = "/dev/fd"
"""A folder on Linux and macOS; elsewhere there is no second look."""
_DNS_PORT = 53
Place = tuple[Address, int]


@dataclass(frozen=True)
class _Connection:
    inode: int
    own_port: int
    peer: Place
    resolves: bool
    """Whether it asks a name server."""


class ConnectedPeers:
    """Watches the connections that this process opens from now on.

    Args:
        allowed: the addresses of the stream.
        redis: addresses and port of Redis, to which this process connects, too.
        every_seconds: the least time between two looks by `check_now_and_then`.
    """

    def __init__(self, allowed: Collection[Address], redis: Collection[Place], every_seconds: float = 1.0) -> None:
        self._allowed = frozenset(map(unwrapped, allowed))
        self._redis = frozenset(redis)
        self._every_seconds = every_seconds
        self._due = 0.0
        self._before = frozenset(one.inode for one in _connections()[0])

    def check(self) -> None:
        """Look at the peers.

        Raises:
            StreamFailure: one is neither the stream's host nor Redis nor a client of this process's own server.
        """
        self._due = time.monotonic() + self._every_seconds
        connections, served = _connections()
        for one in connections:
            if one.inode in self._before or one.peer[0] in self._allowed or one.peer in self._redis:
                continue
            if one.own_port not in served and not one.resolves:
                raise StreamFailure(f"it leads to another host ({one.peer[0]})")

    def check_now_and_then(self) -> None:
        """As `check`, if the last look was some time ago."""
        if time.monotonic() >= self._due:
            self.check()


def _connections() -> tuple[list[_Connection], set[int]]:
    """The connections of this process, and the ports that it listens on."""
    found, served = [], set[int]()
    for number in os.listdir(_OWN_FDS) if os.path.isdir(_OWN_FDS) else ():
        try:
            status = os.fstat(int(number))
            if not stat.S_ISSOCK(status.st_mode):
                continue
            with socket.socket(fileno=os.dup(int(number))) as own:
                if own.family not in {socket.AF_INET, socket.AF_INET6}:
                    continue
                port = own.getsockname()[1]
                if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    served.add(port)
                    continue
                host, peer_port, *_ = own.getpeername()
                peer = unwrapped(ip_address(host.partition("%")[0])), peer_port
                resolves = own.type == socket.SOCK_DGRAM and peer_port == _DNS_PORT
                found.append(_Connection(status.st_ino, port, peer, resolves))
        except OSError:
            continue  # closed meanwhile, or not connected
    return found, served
