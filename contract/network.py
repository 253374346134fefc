"""Which hosts an added stream may name: public hosts, and those of the networks that the configuration allows.

Otherwise a person who may add a camera could reach hosts from inside that are closed to them: this machine, its
neighbours, Redis. The rules apply to resolved addresses, so that no spelling of an address (127.1, 0x7f000001,
[::ffff:7f00:1]) and no host name bypasses them. An address is public by the registries of IANA, which Python's
`ipaddress` follows.
"""

import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from contract.errors import SourceError
from contract.stream_url import stream_url

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = ip_network("64:ff9b::/96")
_REDIS_PORT = 6379


def _networks(value: Any) -> Any:  # noqa: ANN401 - any value of the environment or a caller; the field checks it
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write networks as 192.168.1.0/24, with commas between") from None


CameraNetworks = Annotated[
    tuple[Network, ...],
    NoDecode,
    BeforeValidator(_networks),
    Field(
        description="Private networks that may contain streams added on the page or over REST, as 192.168.1.0/24, "
        "separated by commas. EMOTII_SOURCES may name any host. Set the same value for gateways and "
        "captures.",
    ),
]


@dataclass(frozen=True)
class StreamRules:
    """Which streams may be added.

    Args:
        networks: that are allowed beside public addresses.
        redis_url: of the server that no stream may name, in any network.
    """

    networks: tuple[Network, ...]
    redis_url: str

    def destinations(self, name: str, url: str) -> tuple[Address, ...]:
        """The addresses of the host of a stream `url`, all of them allowed. It queries the resolver, and may block.

        Raises:
            SourceError: an address is not allowed, or the host has none.
        """
        parts = stream_url(name, url)
        host, port = parts.host, parts.port
        if "%" in host:
            raise SourceError(f"source {name!r}: write its host as a plain name or address, without a zone (%...)")
        found = resolve(host)
        if not found:
            raise UnknownHost(f"source {name!r}: there is no host {host!r}")
        real = {unwrapped(address) for address in found}
        if {(address, port) for address in real} & self.redis_places():
            raise SourceError(f"source {name!r}: {host} is Redis itself")
        for address in real:
            if not _is_public(address) and not any(address in network for network in self.networks):
                shown = host if host == str(address) else f"{host} ({address})"
                raise SourceError(
                    f"source {name!r}: {shown} is {_kind(address)}, where streams may be added only if the gateway and"
                    f" the capture service are started with {allowing(network_of(address), self.networks)}"
                    " (or name it in EMOTII_SOURCES)"
                )
        return found

    def redis_places(self) -> set[tuple[Address, int]]:
        """The addresses and port of Redis; none if it is reached by a socket file. It queries the resolver."""
        redis = urlsplit(self.redis_url)
        if redis.scheme not in {"redis", "rediss"} or not redis.hostname:
            return set()
        port = redis.port or _REDIS_PORT
        return {(unwrapped(address), port) for address in resolve(redis.hostname)}


def allowing(network: Network, networks: Collection[Network] = ()) -> str:
    """The setting that allows streams in this network, beside those that are allowed."""
    return f"EMOTII_CAMERA_NETWORKS={','.join(map(str, [*networks, network]))}"


def network_of(address: Address, prefix: int | None = None) -> Network:
    """The network to allow for an address: with a prefix of this length, or by default its usual neighbourhood."""
    usual = 24 if isinstance(address, IPv4Address) else 64
    if address.is_loopback or address.is_unspecified:
        usual = address.max_prefixlen
    return ip_network(f"{address}/{usual if prefix is None else prefix}", strict=False)


class UnknownHost(SourceError):  # noqa: N818 - a state, not a fault
    """The resolver returns no address for a host at the moment."""


def resolve(host: str) -> tuple[Address, ...]:
    """The addresses of a host, none if it is not known; it may block."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(ip_address(str(address[0]).partition("%")[0]) for *_, address in found))


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address embeds, if it embeds one; otherwise the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_public(address: Address) -> bool:
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (
        site_local or address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _kind(address: Address) -> str:
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    return "link-local" if address.is_link_local else "in a network that is not public"
