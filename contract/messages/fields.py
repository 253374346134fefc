"""Reading the fields of a stream entry.

Every function returns a valid value, or raises `MalformedMessage` for a field that is missing or not valid.
"""

import math
from collections.abc import Mapping

from contract.errors import MalformedMessage

VERSION = b"1"
Fields = Mapping[bytes, bytes]
LONGEST_TEXT = 16 * 1024
LONGEST_NUMBERS = 512
LATEST_MS = 253_402_300_799_000
"""The end of the year 9999: a later time is an error."""


def check_version(fields: Fields) -> None:
    """Refuse an entry of another version of the contract."""
    if (found := field(fields, b"v")) != VERSION:
        raise MalformedMessage(f"v: {found[:16]!r}, this release reads {VERSION!r}")


def field(fields: Fields, name: bytes) -> bytes:
    """The bytes of a required field."""
    try:
        return fields[name]
    except KeyError:
        raise MalformedMessage(f"{name.decode()}: missing") from None


def text(fields: Fields, name: bytes) -> str:
    """A field as UTF-8, of at most `LONGEST_TEXT` bytes."""
    value = field(fields, name)
    if len(value) > LONGEST_TEXT:
        raise MalformedMessage(f"{name.decode()}: longer than {LONGEST_TEXT} bytes")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise MalformedMessage(f"{name.decode()}: not UTF-8") from None


def integer(fields: Fields, name: bytes) -> int:
    """A field as a whole number, 0 or above, that fits into 64 bits."""
    value = field(fields, name)
    if not (value.isdigit() and len(value) <= 18):
        raise MalformedMessage(f"{name.decode()}: not a whole number of at most 18 digits")
    return int(value)


def time(fields: Fields, name: bytes) -> int:
    """A field as milliseconds since 1970."""
    if (value := integer(fields, name)) > LATEST_MS:
        raise MalformedMessage(f"{name.decode()}: not a time in milliseconds")
    return value


def numbers(fields: Fields, name: bytes, count: int) -> tuple[float, ...]:
    """A field as `count` finite numbers with commas between."""
    value = field(fields, name)
    try:
        found = tuple(float(part) for part in value.split(b",")) if len(value) <= LONGEST_NUMBERS else ()
    except ValueError:
        found = ()
    if len(found) != count or not all(math.isfinite(number) and abs(number) < 1e9 for number in found):
        raise MalformedMessage(f"{name.decode()}: not {count} finite numbers")
    return found
