"""The address of a client, as limits and logs count it."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import Scope

HOST_BITS = 64
"""Of an IPv6 address: one machine has as many addresses as it likes below the same 64 bits."""


def address_of(scope: Scope) -> str:
    """The address that a request comes from; all clients of a proxy have that of the proxy."""
    client = scope.get("client")
    return network_of(str(client[0])) if client else "unknown"


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """An IPv4 address, the IPv4 address in an IPv6 one, or the network of an IPv6 address; any other text as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> HOST_BITS << HOST_BITS)}/{HOST_BITS}" if not found.is_loopback else str(found)
