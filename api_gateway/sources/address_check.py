"""Checks the address of a source before it is added."""

import asyncio

from api_gateway.sources.errors import BadSource, ForbiddenHost
from contract.address import added_kind
from contract.errors import SourceError
from contract.network import StreamRules, UnknownHost

RESOLVER_SECONDS = 3.0


async def check_address(name: str, address: str, *, loop: bool, rules: StreamRules) -> None:
    """Refuse what the capture service would refuse, as far as this host can find out; it checks again each time.

    Args:
        name: of the source.
        address: a webcam's number, `demo`, a path or a URL.
        loop: whether the source begins again at its end.
        rules: which hosts a stream may come from.

    Raises:
        BadSource: the name or address cannot be used, or cannot loop.
        ForbiddenHost: the host of the stream is in a network that is not allowed.
    """
    try:
        kind = added_kind(name, address)
    except SourceError as error:
        raise BadSource(str(error)) from error
    if kind == "stream":
        await _check_host(name, address, rules)
    if loop and kind not in {"path", "demo"}:
        raise BadSource(f"source {name!r}: only a file or a folder can loop")


async def _check_host(name: str, address: str, rules: StreamRules) -> None:
    try:
        async with asyncio.timeout(RESOLVER_SECONDS):
            await asyncio.to_thread(rules.destinations, name, address)
    except (UnknownHost, TimeoutError):
        return  # the capture service may resolve it, in another network
    except SourceError as error:
        raise ForbiddenHost(str(error)) from error
