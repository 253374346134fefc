"""The destination of an added stream: resolved once, pinned to that address, and checked after connecting."""

import os
import socket
import stat
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError
from contract.network import Address, StreamRules, host_and_port

_OWN_FDS = "/dev/fd"
"""A folder on Linux and macOS; elsewhere the check after connecting is left out."""


@dataclass
class PinnedDestination:
    """A stream's address for FFmpeg; a context manager round its opening.

    FFmpeg gets the allowed address instead of the name, so that a second response of the resolver does not count. An
    encrypted stream keeps its name, which its server may need. HTTP redirects are not followed. RTSP redirects, which
    FFmpeg always follows, are detected after connecting by the hosts that this process is connected to.
    """

    url: str = field(repr=False)
    options: str
    """More options of FFmpeg, as OpenCV expects them."""
    allowed: frozenset[Address]
    name: str
    _before: frozenset[int] = frozenset()
    """Sockets that were open before."""

    @classmethod
    def of(cls, spec: SourceSpec, rules: StreamRules) -> Self:
        """The destination of an added stream.

        Raises:
            SourceError: its host is not allowed, or is not known.
        """
        found = rules.destinations(spec.name, spec.address)
        url = urlsplit(spec.address)
        host, port = host_and_port(spec.name, spec.address)
        options = "|max_redirects;0" if url.scheme in {"http", "https"} else ""
        if url.scheme in {"http", "rtsp"}:
            options += f"|headers;Host: {url.netloc.rpartition('@')[2]}" if url.scheme == "http" else ""
            host = str(found[0])
        netloc = f"{_user(url.username, url.password)}{f'[{host}]' if ':' in host else host}:{port}"
        return cls(url._replace(netloc=netloc).geturl(), options, frozenset(found), spec.name)

    def __enter__(self) -> Self:
        self._before = frozenset(_peers())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        unexpected = {peer for own, peer in _peers().items() if own not in self._before} - self.allowed
        if kind is None and unexpected:
            raise SourceError(f"source {self.name!r}: leads to another host ({min(map(str, unexpected))})")


def _user(name: str | None, password: str | None) -> str:
    if name is None:
        return ""
    written = quote(unquote(name), safe="")
    return written + ("@" if password is None else f":{quote(unquote(password), safe='')}@")


def _peers() -> dict[int, Address]:
    """The hosts that this process is connected to, by the inode of the socket."""
    found: dict[int, Address] = {}
    for number in os.listdir(_OWN_FDS) if os.path.isdir(_OWN_FDS) else ():
        try:
            status = os.fstat(int(number))
            if not stat.S_ISSOCK(status.st_mode):
                continue
            with socket.socket(fileno=os.dup(int(number))) as own:
                peer = own.getpeername()
        except OSError:
            continue  # closed meanwhile, or not connected
        if isinstance(peer, tuple):
            address = ip_address(str(peer[0]).partition("%")[0])
            mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
            found[status.st_ino] = mapped or address
    return found
