"""What routes ask for: the gateway, and the source that a request names and that its grant sees."""

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import HTTPConnection

from api_gateway.errors import ApiError
from api_gateway.gateway import Gateway
from api_gateway.security.access import SourceViewer, must_see
from api_gateway.security.tokens import Grant


async def _gateway(connection: HTTPConnection) -> Gateway:
    gateway: Gateway = connection.app.state.gateway
    return gateway


AskedGateway = Annotated[Gateway, Depends(_gateway)]


async def _asked_source(
    gateway: AskedGateway,
    grant: SourceViewer,
    source: Annotated[
        str | None,
        Query(description="A source's name; by default the first camera.", examples=["front"], max_length=64),
    ] = None,
) -> str | None:
    if source is None and grant.sources is not None:
        cameras = (status.name for status in gateway.registry.sources() if status.kind == "camera")
        source = next(filter(grant.sees, cameras), min(grant.sources))
    return None if source is None else _seen(gateway, grant, source)


async def _named_source(
    gateway: AskedGateway, grant: SourceViewer, name: Annotated[str, Path(examples=["front"])]
) -> str:
    return _seen(gateway, grant, name)


def _seen(gateway: Gateway, grant: Grant, name: str) -> str:
    must_see(grant, name)
    if grant.sources is not None and all(status.name != name for status in gateway.registry.sources()):
        # Not in the registry's words, which list all sources.
        raise ApiError(404, "unknown_source", f"source {name!r} is not there now")
    return name


SourceName = Annotated[str | None, Depends(_asked_source)]
"""Of the query; None: the first camera, for a grant that sees all."""
NamedSource = Annotated[str, Depends(_named_source)]
"""`name` of the path."""
