"""The end of a gateway: each of its parts is closed, however the others fare."""

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api_gateway.gateway import Gateway
from api_gateway.history.database import Database
from api_gateway.history.tables import readings
from api_gateway.settings import GatewaySettings
from contract.judgement import Judgement
from contract.service.settings import load
from emotii.local.redis_server import PrivateServer
from postprocessing.track_processor import SmoothedReading
from tests.stage import processed, reading

HAPPY = SmoothedReading(reading(captured_ms=1_000_000), 1_000_000, {}, Judgement("happy", 95.0))


async def until(true, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if true():
                return
            await asyncio.sleep(0.01)


def recorded(url: str) -> int:
    database = Database(url)
    with database.reading() as connection:
        found = connection.execute(select(func.count()).select_from(readings)).scalar_one()
    database.engine.dispose()
    return int(found)


def open_sockets() -> int:
    links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith("socket:") for link in links if link.is_symlink())


@pytest.mark.parametrize("fault", ["none", "killed"])
def test_the_history_is_flushed_and_the_connections_are_closed(server: PrivateServer, tmp_path: Path, fault: str):
    url = f"sqlite:///{tmp_path / 'history.db'}"
    settings = load(GatewaySettings, redis_url=server.url, database_url=url, saved_faces=tmp_path / "faces")

    async def scene() -> None:
        before = open_sockets()
        gateway = Gateway(settings)
        running = asyncio.create_task(gateway.run())
        await until(lambda: gateway.history.event().here and gateway.saver.election.is_leader)
        await until(lambda: (tmp_path / "history.db").exists() and gateway.history.event().waiting == 0)
        gateway.history.reading(processed(HAPPY))
        assert gateway.history.event().waiting == 1
        if fault == "killed":
            server.kill()
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()
        assert open_sockets() == before

    asyncio.run(scene())
    assert recorded(url) == 1
