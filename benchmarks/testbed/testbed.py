"""A private server and real services as processes, for benchmarks of several processes."""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring.processes import Processes
from contract.redis.broker import Clients, connect
from contract.service.health import is_healthy
from emotii.local.redis_server import PrivateServer
from emotii.local.supervisor import Service

PATIENCE_SECONDS = 60.0


class Testbed:
    """The processes of one benchmark; they do not get the `EMOTII_` variables of this process.

    Args:
        server: a running server.
        folder: for data; removed afterwards.
    """

    def __init__(self, server: PrivateServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.services: list[Service] = []
        self.clients: Clients = connect(server.url, "benchmark")
        self.gateway_url = ""

    def start(self, name: str, module: str, **settings: object) -> Service:
        """`python -m module` with these settings (`threads=1` is `EMOTII_THREADS=1`); stopped with the testbed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOTII_")}
        environment |= {
            "EMOTII_REDIS_URL": self.server.url,
            "EMOTII_LOG_LEVEL": "warning",
            **{f"EMOTII_{name.upper()}": str(value) for name, value in settings.items()},
        }
        service = Service(name, module, environment)
        service.start()
        self.services.append(service)
        return service

    def start_gateway(self, **settings: object) -> str:
        """Start a gateway, by default without saved faces and history; returns its URL."""
        port = free_port()
        folders = {"saved_faces": self.folder / "faces", "jobs": self.folder / "jobs"}
        settings = {"save": "false", "history": 0, **folders, **settings}
        self.start("gateway", "api_gateway", port=port, **settings)
        self.gateway_url = f"http://127.0.0.1:{port}"
        until(lambda: is_healthy(f"{self.gateway_url}/healthz"), what="a gateway")
        return self.gateway_url

    def start_system(self, sources: str, **settings: object) -> str:
        """Start gateway, worker and capture, as `emotii up`; returns the URL of the gateway once it is ready.

        Args:
            sources: in the format of `EMOTII_SOURCES`.
            settings: of all services.
        """
        url = self.start_gateway(**settings)
        self.start("inference 1", "inference_service", **settings)
        self.start("capture", "capture_service", sources=sources, **settings)
        until(lambda: is_healthy(f"{url}/readyz"), what="the system")
        return url

    def processes(self) -> Processes:
        """The server and every service, by name."""
        pids = {service.name: service.process.pid for service in self.services if service.process}
        return Processes({"redis": self.server.pid or 0, **pids})

    def close(self) -> None:
        for service in reversed(self.services):
            service.stop()
        self.clients.close()


@contextmanager
def testbed() -> Iterator[Testbed]:
    """A testbed with a new server in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="emotii-bench-") as folder:
        server = PrivateServer(Path(folder) / "redis")
        server.start()
        try:
            built = Testbed(server, Path(folder))
            try:
                yield built
            finally:
                built.close()
        finally:
            server.stop()


def until(true: Callable[[], object], seconds: float = PATIENCE_SECONDS, what: str = "it") -> None:
    """Wait until `true` returns a true value.

    Raises:
        TimeoutError: it did not happen in time.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not there within {seconds:.0f} s")
        time.sleep(0.02)


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
