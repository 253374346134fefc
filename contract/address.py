"""Addresses of sources: their kinds, and how they are shown to people. Nothing is opened or resolved here."""

import re
from typing import Literal
from urllib.parse import urlsplit

from contract.errors import SourceError
from contract.keys import UPLOADS, source_name
from contract.stream_url import STREAM_SCHEMES, stream_url

AddressKind = Literal["webcam", "demo", "inbox", "stream", "path"]
DetectorName = Literal["blazeface", "haar"]

DEMO = "demo"
INBOX = "inbox"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def address_kind(name: str, address: str) -> AddressKind:
    """The kind of the source `name` with this address.

    Raises:
        SourceError: the name or the address is not valid; the message shows no credentials.
    """
    if source_name(name) == UPLOADS:
        raise SourceError(f"source {UPLOADS!r}: this name is reserved for uploaded pictures; choose another")
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

    A path must be absolute, since the person who adds it need not know where the capture was started. A URL with a
    mistake in its beginning, and maybe a password behind it, is therefore not taken for a path and not shown as one.
    """
    kind = address_kind(name, address)
    if kind == "inbox":
        raise SourceError(f"source {name!r}: an inbox cannot be added; name it in EMOTII_SOURCES")
    if kind == "stream" and "%" in stream_url(name, address).host:
        raise SourceError(f"source {name!r}: write its host as a plain name or address, without a zone (%...)")
    if kind == "path" and (not address.startswith("/") or address.startswith("//") or {"@", "?"} & set(address)):
        raise SourceError(
            f"source {name!r}: write a webcam's number, demo, an absolute path (/...) without @ and ?, or"
            f" {', '.join(known + '://' for known in STREAM_SCHEMES)}"
        )
    return kind


def safe_url(address: str) -> str:
    """A stream's address without credentials, for people, logs and the registry."""
    url = urlsplit(address)
    _, _, host = url.netloc.rpartition("@")
    if "@" in url.path + url.query + url.fragment:
        # Maybe a password that holds / ? or #: then all up to the last @ may belong to it, the apparent host, too.
        return f"{url.scheme}://***"
    return f"{url.scheme}://{host}{url.path}" + ("?***" if url.query else "")


def _check_url(name: str, scheme: str, address: str) -> None:
    if scheme not in STREAM_SCHEMES:
        raise SourceError(
            f"source {name!r}: {scheme}: is not supported; use a webcam's number, a path (./ before one with a colon),"
            f" {', '.join(known + '://' for known in STREAM_SCHEMES)}, inbox or demo"
        )
    stream_url(name, address)
