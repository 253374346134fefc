"""A server, a producer and a gateway that run together, and are shared by the tests of a module.

A test that stops one of them, or changes what cannot be put back, is marked `alone` and gets a system of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis

from contract import keys
from contract.added_sources import REVISION
from emotii.local.redis_server import PrivateServer, find_server
from tests.stage import GatewayProcess, Producer, gateway_process, until


@contextmanager
def private_server(folder: Path) -> Iterator[PrivateServer]:
    """A fresh server, of the kind that `emotii up` would start."""
    server = PrivateServer(folder / "redis", find_server())
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class System:
    """What runs."""

    server: PrivateServer
    producer: Producer
    gateway: GatewayProcess
    _settings: dict[str, object]
    """Those that the gateway started with."""

    def restore(self) -> None:
        """Put everything back that a test may have changed: what is shown, other sources, settings and saved faces."""
        self.producer.restore()
        with redis.Redis.from_url(self.server.url) as client:
            if added := set(client.hkeys(keys.ADDED_SOURCES)) - {REVISION}:
                client.hdel(keys.ADDED_SOURCES, *added)
            if others := set(client.hkeys(keys.SOURCES)) - {b"front", keys.UPLOADS.encode()}:
                client.hdel(keys.SOURCES, *others)
            httpx.patch(f"{self.gateway.url}/api/v1/settings", json=self._settings, timeout=20).raise_for_status()
        until(self._is_restored, 30, "the system is as it was at first")
        for path in self.gateway.saved():
            path.unlink(missing_ok=True)

    def _is_restored(self) -> bool:
        listed = self.gateway.get("/api/v1/sources").json()["sources"]
        return (
            {one["name"]: one["state"] for one in listed} == {"front": "ONLINE", keys.UPLOADS: "ONLINE"}
            and self.gateway.get("/api/v1/settings").json() == self._settings
            and self.gateway.get("/emotion").json()["emotion"] == "happy"
        )


@contextmanager
def running_system(folder: Path, **settings: str) -> Iterator[System]:
    """All three, once the gateway has its first reading; `settings` are those of the gateway."""
    with (
        private_server(folder) as server,
        Producer(server.url) as producer,
        gateway_process(server.url, folder / "faces", **settings) as gateway,
    ):
        until(gateway.ready, 90, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], 30, "the first reading")
        yield System(server, producer, gateway, gateway.get("/api/v1/settings").json())
