"""Fixtures with a gateway that runs as a process."""

import pytest

from tests.stage import GatewayProcess
from tests.system import System


@pytest.fixture
def gateway(system: System) -> GatewayProcess:
    return system.gateway
