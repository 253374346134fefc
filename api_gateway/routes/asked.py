"""What routes ask for: the gateway, and the source that a request names."""

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import HTTPConnection

from api_gateway.gateway import Gateway

SourceName = Annotated[
    str | None, Query(description="A source's name; by default the first camera.", examples=["front"], max_length=64)
]


def _gateway(connection: HTTPConnection) -> Gateway:
    gateway: Gateway = connection.app.state.gateway
    return gateway


AskedGateway = Annotated[Gateway, Depends(_gateway)]
