"""How many connections there may be, and the open files that they need."""

import sys
from dataclasses import dataclass, replace

import structlog

from contract.errors import SettingsError

logger = structlog.get_logger()
PROBE_PLACES = 32
"""Connections beyond the limit that are accepted for the sake of the probes."""
FILES_A_CONNECTION = 2
"""The socket, and a file that is sent or received over it."""
OTHER_FILES = 128
"""Of Redis, the database, the logs, the event loop and the libraries."""
LEAST_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on connections. A stream is a connection whose response has no end: a video, or a WebSocket."""

    connections: int
    per_address: int

    @property
    def streams(self) -> int:
        """All streams together; what they leave is for requests."""
        return self.connections * 3 // 4

    @property
    def streams_per_client(self) -> int:
        """The streams of one address, and of everybody with the same permissions."""
        return min(self.per_address, self.connections) * 3 // 4

    @property
    def files(self) -> int:
        """The files that may be open at a time."""
        return self.connections * FILES_A_CONNECTION + PROBE_PLACES + OTHER_FILES


def within_open_files(limits: ConnectionLimits) -> ConnectionLimits:
    """Allow this process the open files that the limits need; returns lower limits if the system allows fewer.

    Raises:
        SettingsError: the system allows too few files for any use.
    """
    allowed = _allow_files(limits.files)
    if allowed >= limits.files:
        return limits
    connections = (allowed - PROBE_PLACES - OTHER_FILES) // FILES_A_CONNECTION
    if connections < LEAST_CONNECTIONS:
        raise SettingsError(f"this process may have {allowed} files open, which are too few; raise `ulimit -n`")
    logger.warning(
        "fewer connections than EMOTII_MAX_CONNECTIONS, because the system limits open files (`ulimit -n`)",
        connections=connections,
        open_files=allowed,
    )
    return replace(limits, connections=connections, per_address=min(limits.per_address, max(1, connections // 2)))


def _allow_files(wanted: int) -> int:
    """Raise the limit on open files to `wanted`, or as far as possible; returns how many are allowed now."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    return possible
