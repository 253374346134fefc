"""Addresses of sources: of which kind each is, and how people may see it. Nothing is opened or looked up here."""

import re
from typing import Literal
from urllib.parse import urlsplit

from contract.errors import SourceError
from contract.keys import UPLOADS, source_name
from contract.network import host_and_port

AddressKind = Literal["webcam", "demo", "inbox", "stream", "path"]
DetectorName = Literal["blazeface", "haar"]

DEMO = "demo"
INBOX = "inbox"
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def address_kind(name: str, address: str) -> AddressKind:
    """What the source `name` with this address is.

    Raises:
        SourceError: the name or the address cannot be used; the message shows no credentials.
    """
    if source_name(name) == UPLOADS:
        raise SourceError(f"source {UPLOADS!r}: this name is taken by single pictures; choose another")
    if not address or any(ord(character) < 32 for character in address):
        raise SourceError(f"source {name!r}: the address is empty or holds a control character")
    if address.isascii() and address.isdigit():
        return "webcam"
    if address == DEMO:
        return "demo"
    if address == INBOX:
        return "inbox"
    if found := _SCHEME.match(address):
        _check_url(name, found[1].lower(), address)
        return "stream"
    return "path"


def added_kind(name: str, address: str) -> AddressKind:
    """As `address_kind`, for a source that is added while the capture runs.

    Its path has to be whole, since whoever adds it need not know where the capture was started. This also keeps a URL
    with a mistake in its beginning, and maybe a password behind it, from being taken for a path and shown as one.
    """
    kind = address_kind(name, address)
    if kind == "inbox":
        raise SourceError(f"source {name!r}: an inbox is filled by programs; EMOTII_SOURCES names it")
    if kind == "stream":
        host_and_port(name, address)
    if kind == "path" and (not address.startswith("/") or address.startswith("//") or {"@", "?"} & set(address)):
        raise SourceError(
            f"source {name!r}: write a webcam's number, demo, a whole path (/...) without @ and ?, or"
            f" {', '.join(known + '://' for known in STREAM_SCHEMES)}"
        )
    return kind


def safe_url(address: str) -> str:
    """A stream's address without credentials: for people, logs and the registry."""
    url = urlsplit(address)
    _, _, host = url.netloc.rpartition("@")
    if "@" in url.path + url.query + url.fragment:
        # Maybe a password with a / ? or # in it: then all up to the last @ is part of it, what looks like a host, too.
        return f"{url.scheme}://***"
    return f"{url.scheme}://{host}{url.path}" + ("?***" if url.query else "")


def _check_url(name: str, scheme: str, address: str) -> None:
    if scheme not in STREAM_SCHEMES:
        raise SourceError(
            f"source {name!r}: {scheme}: is not supported; use a webcam's number, a path (./ before one with a colon),"
            f" {', '.join(known + '://' for known in STREAM_SCHEMES)}, inbox or demo"
        )
    try:
        url = urlsplit(address)
        usable = bool(url.hostname) and url.port != 0 and not any(character.isspace() for character in address)
    except ValueError:  # a port that is no number, brackets that do not match
        usable = False
    if not usable:
        raise SourceError(
            f"source {name!r}: the {scheme} address has no usable host and port"
            " (in a password, write / as %2F and @ as %40)"
        )
