"""Erasing in the history: rows of a span go, from the files of SQLite too, and none of them comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api_gateway.history.database import Database
from api_gateway.history.migration import migrate
from api_gateway.history.tables import episodes, readings
from api_gateway.history.write_buffer import WriteBuffer
from api_gateway.history.writer import HistoryWriter
from contract.messages.erasure import ErasureScope
from tests.recorded import episode, reading_event


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate(database)
    yield database
    database.engine.dispose()


def count(database: Database) -> tuple[int, int]:
    with database.reading() as connection:
        found = [connection.execute(select(func.count()).select_from(one)).scalar_one() for one in (readings, episodes)]
    return found[0], found[1]


def erase(database: Database, span: ErasureScope) -> int:
    gone = 0
    while erased := HistoryWriter(database).erase(span):
        gone += erased
    database.scrub()
    return gone


@pytest.mark.parametrize(
    ("span", "left"),
    [
        (ErasureScope(to_ms=10**9), (0, 0)),
        (ErasureScope(source="door", to_ms=10**9), (3, 2)),
        (ErasureScope(from_ms=2_000, to_ms=2_000), (4, 2)),
        (ErasureScope(from_ms=3_500, to_ms=10**9), (6, 3)),
        (ErasureScope(source="hall", to_ms=10**9), (6, 4)),
    ],
)
def test_only_the_rows_of_the_span_are_erased(database: Database, span: ErasureScope, left: tuple[int, int]):
    seen = [reading_event(at, source) for source in ("front", "door") for at in (1_000, 2_000, 3_000)]
    spans = [episode(1_000, 3_000, source="front"), episode(3_400, 3_450, source="front")]
    spans += [episode(1_500, 2_500, source="door"), episode(3_400, 9_000, phase="update", source="door")]
    HistoryWriter(database).write(seen, spans)
    before = sum(count(database))
    assert erase(database, span) == before - sum(left)
    assert count(database) == left


def test_erased_rows_leave_no_byte_in_the_files_of_sqlite(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    migrate(database)
    word = "a-word-that-nothing-else-has"
    for some in range(20):
        HistoryWriter(database).write([reading_event(500 * (100 * some + n), epoch=word) for n in range(100)], [])
    HistoryWriter(database).write([reading_event(500 * n, "door") for n in range(100)], [])
    files = list(tmp_path.iterdir())
    assert any(word.encode() in path.read_bytes() for path in files)
    assert erase(database, ErasureScope(source="front", to_ms=10**9)) == 2_000
    assert [path.name for path in tmp_path.iterdir() if word.encode() in path.read_bytes()] == []
    assert count(database) == (100, 0)
    database.engine.dispose()


def test_erasing_does_not_create_a_history_that_was_never_written(tmp_path: Path):
    assert not Database(f"sqlite:///{tmp_path / 'history.db'}").exists


def test_readings_that_wait_to_be_written_are_erased_too():
    waiting = WriteBuffer()
    for source in ("front", "door"):
        waiting.add_reading(reading_event(1_000, source))
        waiting.add_episode(episode(900, 1_100, source=source))
    waiting.discard(ErasureScope(source="front", to_ms=5_000))
    batch = waiting.take(10, 0.0, all_episodes=True)
    assert {one.source for one in (*batch.readings, *batch.episodes)} == {"door"}
