"""The private networks that this machine is in."""

import socket
from ipaddress import IPv4Network, ip_interface

import psutil

BRIDGES = ("docker", "br-", "veth", "virbr", "cni", "podman")
"""How the names of interfaces begin that lead to containers and virtual machines."""


def own_networks() -> list[IPv4Network]:
    """The private IPv4 networks of its interfaces that are up, as cameras of a household use them; sorted.

    Networks of containers on this machine (bridges) are left out: no camera stands there.
    """
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = {
        ip_interface(f"{one.address}/{one.netmask}").network
        for name, addresses in psutil.net_if_addrs().items()
        for one in addresses
        if name in up and not name.startswith(BRIDGES) and one.family == socket.AF_INET and one.netmask
    }
    networks = [one for one in found if isinstance(one, IPv4Network)]
    return sorted(one for one in networks if one.is_private and not (one.is_loopback or one.is_link_local))
