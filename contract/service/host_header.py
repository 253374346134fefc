"""The Host header of a request: which names cannot lead a browser's page of another site here (DNS rebinding).

In that attack a page's own name is pointed at this machine, so its requests bear that name. A service that is not
protected otherwise answers only to addresses, to names without a dot, which nobody else can own, and to names that the
settings list.
"""

from ipaddress import ip_address


def host_name(host: str) -> str:
    """The name in a Host header, without its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def may_be_rebound(name: str) -> bool:
    """Whether this name may be somebody else's, and so have been pointed at this machine.

    Args:
        name: as `host_name` returns it; "" if the request has no Host header, as no request of a browser.
    """
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return not all(character.isalnum() or character in "-_" for character in name)
    return False
