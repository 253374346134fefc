"""Finding a port for the gateway."""

import errno
import socket

from contract.errors import SettingsError

USUAL = 5000
TRIED = 20


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `host` and `port` now.

    Raises:
        SettingsError: `host` is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: waiting connections are no bar
            probe.bind(address)
    except PermissionError:
        return False
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise SettingsError(f"EMOTII_HOST={host}: {error.strerror}") from error
    return True


def choose(host: str, wanted: int | None) -> int:
    """The wanted port, or 5000, or the next free one behind it.

    Raises:
        SettingsError: the wanted port, or each of those tried, is taken.
    """
    if wanted is not None:
        if is_free(host, wanted):
            return wanted
        raise SettingsError(f"port {wanted} is taken or not allowed; choose another with --port or EMOTII_PORT")
    for port in range(USUAL, USUAL + TRIED):
        if is_free(host, port):
            return port
    raise SettingsError(f"ports {USUAL} to {USUAL + TRIED - 1} are all taken; choose one with --port or EMOTII_PORT")
