"""Fixtures with a gateway that runs as a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, Producer, gateway_process, until


@pytest.fixture
def producer(server: PrivateServer) -> Iterator[Producer]:
    with Producer(server.url) as producer:
        yield producer


@pytest.fixture
def gateway(server: PrivateServer, producer: Producer, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], what="the first reading")
        yield gateway
