"""From which machines the gateway may be reached."""

import socket
from ipaddress import ip_address

from api_gateway.settings import GatewaySettings
from contract.errors import SettingsError


def check_reach(settings: GatewaySettings) -> None:
    """Refuse to listen for other machines while no token is required.

    Raises:
        SettingsError: there are no tokens, and the address is not loopback.
    """
    if settings.tokens or settings.without_tokens or _is_loopback(settings.host):
        return
    raise SettingsError(
        f"EMOTII_HOST={settings.host}: without tokens the gateway listens on 127.0.0.1 only, since everybody who"
        " reaches it sees the cameras and may delete. Set EMOTII_TOKENS=operator:$(openssl rand -hex 24) to have people"
        " sign in. In a container whose port is published on 127.0.0.1 alone, EMOTII_WITHOUT_TOKENS=true will do."
    )


def _is_loopback(host: str) -> bool:
    if not host:  # all addresses
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False  # no address of this machine, as `listen` would say
    return all(ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)
