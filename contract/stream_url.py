"""The URL of a stream, taken apart once: every part of it is checked, and every URL that is built holds checked parts.

Programs read odd URLs in different ways. Text round an IPv6 address, for example, passes the parser of Python 3.11, and
once became options of FFmpeg. So this parser accepts only what all of them read alike.
"""

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from typing import Self
from urllib.parse import quote, unquote

from contract.errors import SourceError

DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")

_PARTS = re.compile(r"([A-Za-z]+)://([^/?#]*)([^#]*)(?:#.*)?", re.ASCII)
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)(?:%(?:25)?([A-Za-z0-9._-]+))?\](?::([0-9]{0,5}))?", re.ASCII)
_NAMED = re.compile(r"([^:\[\]]+)(?::([0-9]{0,5}))?")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_UNCHANGED = "!$%&'()*+,-./:;=?@_~"
"""Characters of a path and a query that stay as they are; others are percent-encoded."""


class UnusableUrl(ValueError):  # noqa: N818 - a property of the URL
    """The URL has no usable host and port."""


class AmbiguousHost(UnusableUrl):
    """Different programs may read different hosts from the URL."""


@dataclass(frozen=True)
class StreamUrl:
    """A URL of a stream, in checked parts.

    Args:
        scheme: in lower case.
        host: a name in lower case, or an IP address without brackets, maybe with a zone (`fe80::1%eth0`).
        port: 1 to 65535.
        target: the path and query, percent-encoded; it begins with `/`.
        user: decoded, None if there is none.
        password: decoded, None if there is none.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False, default="/")
    user: str | None = field(repr=False, default=None)
    password: str | None = field(repr=False, default=None)

    @classmethod
    def parse(cls, url: str) -> Self:
        """The parts of `url`.

        Raises:
            UnusableUrl: it is not a URL of a stream; the message shows no part of it.
        """
        parts = _PARTS.fullmatch(url)
        if not parts or _CONTROL.search(url) or parts[1].lower() not in STREAM_SCHEMES:
            raise UnusableUrl("write it as rtsp://host:port/path")
        scheme, authority, target = parts[1].lower(), parts[2], parts[3]
        user_info, _, place = authority.rpartition("@")
        if "\\" in authority:
            raise AmbiguousHost("a backslash stands in its host or password")
        host, port = _host_and_port(place)
        name, colon, password = user_info.partition(":")
        user, password_ = (unquote(name) if user_info else None), (unquote(password) if colon else None)
        if any(text and re.search(r"[\x00-\x1f\x7f]", text) for text in (user, password_)):
            raise UnusableUrl("the user or password holds a control character")
        target = quote(target if target.startswith("/") else f"/{target}", safe=_UNCHANGED)
        return cls(scheme, host, port or DEFAULT_PORTS[scheme], target, user, password_)

    @property
    def encrypted(self) -> bool:
        return self.scheme in {"https", "rtsps"}

    @property
    def place(self) -> str:
        """Host and port as in a Host header: without a zone, and the port only where it is not the scheme's own."""
        name = self.host.partition("%")[0]
        host = f"[{name}]" if ":" in name else name
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, host: str) -> str:
        """The URL with `host`, an IP address or this URL's own host, in place of the host; with user and password."""
        user = "" if self.user is None else quote(self.user, safe="")
        password = "" if self.password is None else f":{quote(self.password, safe='')}"
        at = "" if self.user is None else "@"
        return f"{self.scheme}://{user}{password}{at}{f'[{host}]' if ':' in host else host}:{self.port}{self.target}"


def stream_url(name: str, url: str) -> StreamUrl:
    """The parts of the URL of the source `name`.

    Raises:
        SourceError: it is not usable; the message shows no credentials.
    """
    try:
        return StreamUrl.parse(url)
    except AmbiguousHost:
        raise SourceError(
            f"source {name!r}: write its host as a plain name or address of a-z, 0-9, dots and hyphens (an IPv6 address"
            " in brackets)"
        ) from None
    except UnusableUrl as error:
        raise SourceError(
            f"source {name!r}: the address has no usable host and port: {error} (in a password, write / as %2F and @ as"
            " %40)"
        ) from None


def _host_and_port(place: str) -> tuple[str, int | None]:
    if bracketed := _BRACKETED.fullmatch(place):
        literal, zone, port = bracketed.groups()
        try:
            host = str(IPv6Address(literal)) + (f"%{zone}" if zone else "")
        except AddressValueError:
            raise UnusableUrl("the host is no IPv6 address") from None
    elif named := _NAMED.fullmatch(place):
        host, port = named[1].lower(), named[2]
        if not _NAME.fullmatch(host):
            raise AmbiguousHost("its host is no plain name")
    else:
        raise UnusableUrl("the host is missing, or the port is no number")
    number = int(port) if port else None
    if number is not None and not 1 <= number <= 65535:
        raise UnusableUrl("the port is not 1 to 65535")
    return host, number
