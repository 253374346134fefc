"""The places of connections: a limit in all, a limit for each address, and a few places for probes.

When the places are taken, a new connection gets that of an idle one, so that sockets that send nothing keep nobody out.
"""

from asyncio import Transport
from collections.abc import Callable
from enum import Enum, auto

import structlog
from uvicorn.protocols.utils import get_remote_addr

from api_gateway.connections.limits import PROBE_PLACES, ConnectionLimits
from api_gateway.security.client_address import network_of

logger = structlog.get_logger(per_request=True)


class Admission(Enum):
    """What a new connection may be used for."""

    EVERYTHING = auto()
    PROBES = auto()
    """The connection is above the limits."""
    NOTHING = auto()


class _Group(dict[Transport, Callable[[], bool]]):
    """Connections in the order of their opening, each with a function that returns whether it is idle."""

    def oldest_idle(self) -> Transport | None:
        return next((transport for transport, is_idle in self.items() if is_idle()), None)


class Places:
    """Who has a place.

    Args:
        limits: on connections.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._groups: dict[str, _Group] = {}
        self._for_probes = _Group()
        self._addresses: dict[Transport, str] = {}

    def take(self, transport: Transport, is_idle: Callable[[], bool]) -> Admission:
        """Give a new connection a place until it is released.

        Args:
            transport: of the connection.
            is_idle: returns whether no request of it is being answered; an idle connection may have to leave.
        """
        peer = get_remote_addr(transport)
        address = network_of(peer[0]) if peer else ""
        if (crowded := self._crowded(address)) is None or self._remove_idle(crowded):
            self._addresses[transport] = address
            self._groups.setdefault(address, _Group())[transport] = is_idle
            return Admission.EVERYTHING
        logger.warning("a connection is above the limits", address=address, connections=len(self._addresses))
        if len(self._for_probes) < PROBE_PLACES or self._remove_idle([self._for_probes]):
            self._for_probes[transport] = is_idle
            return Admission.PROBES
        return Admission.NOTHING

    def release(self, transport: Transport) -> None:
        """Free the place of a connection that has ended."""
        self._for_probes.pop(transport, None)
        if (address := self._addresses.pop(transport, None)) is not None:
            group = self._groups[address]
            del group[transport]
            if not group:
                del self._groups[address]

    def _crowded(self, address: str) -> list[_Group] | None:
        """The connections of which one has to leave first; None if there is a place."""
        own = self._groups.get(address, _Group())
        if len(own) >= self._limits.per_address:
            return [own]
        if len(self._addresses) >= self._limits.connections:
            return sorted(self._groups.values(), key=len, reverse=True)
        return None

    def _remove_idle(self, groups: list[_Group]) -> bool:
        """End the oldest idle connection of the first group that has one; returns whether there was one."""
        for group in groups:
            if (transport := group.oldest_idle()) is not None:
                self.release(transport)
                transport.abort()
                return True
        return False
