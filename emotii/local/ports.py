"""Finding a port for the gateway."""

import errno
import socket

from contract.errors import SettingsError, reason_of

DEFAULT = 5000
MAX_TRIED = 20


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `host` and `port` now.

    Raises:
        SettingsError: `host` is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: ignores TIME_WAIT
            probe.bind(address)
    except PermissionError:
        return False
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise SettingsError(f"EMOTII_HOST={host}: {reason_of(error)}") from error
    return True


def choose(host: str, wanted: int | None) -> int:
    """The wanted port; if None, 5000 or the next free port.

    Raises:
        SettingsError: the wanted port, or every port that was tried, is taken.
    """
    if wanted is not None:
        if is_free(host, wanted):
            return wanted
        raise SettingsError(f"port {wanted} is taken or not allowed; choose another one with --port or EMOTII_PORT")
    for port in range(DEFAULT, DEFAULT + MAX_TRIED):
        if is_free(host, port):
            return port
    last = DEFAULT + MAX_TRIED - 1
    raise SettingsError(f"ports {DEFAULT} to {last} are all taken; choose another one with --port or EMOTII_PORT")
