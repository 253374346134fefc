"""Fixtures of the fault tests: a private server each, on Valkey and on Debian's Redis, and the account of all crops.

Every test names the row of docs/promises.md that it shows: `@pytest.mark.row(7)`. Those that `make test` runs, too, are
`@pytest.mark.short`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from contract.redis.broker import Clients, connect
from emotii.local.redis_server import PrivateServer
from tests.faults.crew import Crew
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.faults.table import lines
from tests.faults.waiting import TEST_SECONDS

HERE = Path(__file__).parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for found in terminalreporter.stats.values() for one in found if isinstance(one, pytest.TestReport)]
    if written := list(lines(reports)):
        terminalreporter.section("rows of docs/promises.md (0: the instruments themselves)")
        for line in written:
            terminalreporter.write_line(line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


class MakeLedger(Protocol):
    def __call__(self, source: str, *, makes_room: bool = False) -> Ledger: ...


@pytest.fixture
def make_server(any_program: Path, tmp_path: Path) -> Iterator[Callable[..., PrivateServer]]:
    """Starts a private server with more options, for example `"--appendonly", "no"`."""
    started: list[PrivateServer] = []

    def make(*options: str) -> PrivateServer:
        started.append(PrivateServer(tmp_path / f"redis-{len(started)}", any_program, options))
        started[-1].start()
        return started[-1]

    yield make
    for server in started:
        server.kill()  # a frozen one would not end in order
        server.stop()


@pytest.fixture
def server(make_server: Callable[..., PrivateServer]) -> PrivateServer:
    """A fresh private server; the test runs once with the embedded Valkey and once with Debian's Redis."""
    return make_server()


@pytest.fixture
def clients(server: PrivateServer) -> Iterator[Clients]:
    """Straight to the server, past the proxy."""
    clients = connect(server.url, "test")
    yield clients
    clients.close()


@pytest.fixture
def proxy(server: PrivateServer) -> Iterator[Proxy]:
    with Proxy(server) as proxy:
        yield proxy


@pytest.fixture
def make_crew(tmp_path: Path) -> Callable[[str], Crew]:
    """Workers of a server that the test starts itself; to be used as a context manager."""
    return lambda url: Crew(url, tmp_path)


@pytest.fixture
def crew(server: PrivateServer, tmp_path: Path) -> Iterator[Crew]:
    """Starts workers, straight to the server unless `url` is given; kills those that are left."""
    with Crew(server.url, tmp_path) as crew:
        yield crew


@pytest.fixture
def make_ledger(clients: Clients, record_property: Callable[[str, object], None]) -> Iterator[MakeLedger]:
    """Opens the account of a source. After every test no crop may have two outcomes."""
    opened: list[Ledger] = []

    def make(source: str, *, makes_room: bool = False) -> Ledger:
        opened.append(Ledger(clients.commands, source, makes_room=makes_room))
        return opened[-1]

    yield make
    record_property("crops", sum(ledger.added for ledger in opened))
    for ledger in opened:
        assert ledger.repeated == [], f"{ledger.source}: crops with more than one outcome"


@pytest.fixture
def ledger(make_ledger: MakeLedger) -> Ledger:
    """The account of the source `clip`."""
    return make_ledger("clip")


@pytest.fixture(autouse=True)
def _add_to_the_table(
    request: pytest.FixtureRequest, any_program: Path, record_property: Callable[[str, object], None]
) -> None:
    """Properties of the test for the table at the end of `make test-faults` (see `table`)."""
    if (row := request.node.get_closest_marker("row")) is not None:
        record_property("row", row.args[0])
    record_property("server", any_program.name)
