"""Tables, writer and queries of the history, on SQLite and on PostgreSQL."""

import asyncio
import re
import subprocess
import sys
from itertools import product

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from api_gateway.history.database import Database, DatabaseUnavailable, RowsRefused
from api_gateway.history.migration import migrate
from api_gateway.history.queries import HistoryQueries, Search, episodes_query, readings_query
from api_gateway.history.recorder import Recorder
from api_gateway.history.tables import episodes, metadata, readings
from api_gateway.history.writer import HistoryWriter
from api_gateway.leader_election import LeaderElection
from api_gateway.results.erased_scopes import ErasedScopes
from contract.redis.clock import RedisClock
from tests.postgres import PostgresServer
from tests.recorded import episode, reading_event
from tests.stage import HAPPY, SAD, UNSURE

MIGRATE = """
import sys
from api_gateway.history.database import Database
from api_gateway.history.migration import migrate
sys.stdin.read()
migrate(Database(sys.argv[1]))
"""
SOURCES, TRACKS, SHOWN = ("front", "door"), (1, 2), {"happy": HAPPY, "sad": SAD, "uncertain": UNSURE}


@pytest.fixture
def database(database_url: str):
    database = Database(database_url)
    migrate(database)
    yield database
    database.engine.dispose()


@pytest.fixture
def filled(database: Database) -> Database:
    """40 s of two sources with two faces each, of which each shows another emotion every few readings."""
    shown, spans = [], []
    for turn, (source, track) in product(range(80), product(SOURCES, TRACKS)):
        shown.append(reading_event(10_000 + turn * 500, source, track, list(SHOWN.values())[(turn // 4 + track) % 3]))
        if turn % 4 == 0:
            emotion = ("happy", "sad")[turn // 4 % 2]
            spans.append(episode(10_000 + turn * 500, 11_700 + turn * 500, "end", source, track, emotion))
    HistoryWriter(database).write(shown, spans)
    return database


def counted(database: Database) -> tuple[int, int]:
    with database.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar() for table in (readings, episodes)
        ]
    return counts[0], counts[1]


def walk(page_of, search: Search, page: int = 30) -> list:
    """Everything that is found, page by page."""
    found, search = [], search.then(search.after, page)
    while True:
        answer = page_of(search)
        found += answer.items
        if answer.next is None:
            return found
        assert len(answer.items) == page
        search = search.then(answer.next, page)


def test_the_migrations_create_the_tables_that_the_code_defines(database: Database):
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_gateways_that_start_at_the_same_time_migrate_once(database_url: str):
    command = [sys.executable, "-c", MIGRATE, database_url]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in started:
        process.stdin.close()
    for process in started:
        process.wait(60)
        assert process.returncode == 0, process.stderr.read()
        process.stderr.close()
    database = Database(database_url)
    assert counted(database) == (0, 0)
    database.engine.dispose()


def test_a_migrated_database_is_left_as_it_is(filled: Database):
    before = counted(filled)
    migrate(filled)
    assert counted(filled) == before


def test_the_database_of_a_newer_release_is_refused(database: Database):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="9999"):
        migrate(database)


def test_stored_readings_and_episodes_are_read_back_unchanged(database: Database):
    happy, unsure = reading_event(1000), reading_event(2000, probabilities=UNSURE)
    span = episode(1000, 2000)
    HistoryWriter(database).write([happy, unsure], [span])
    found = HistoryQueries(database).readings(Search(order="oldest")).items
    assert [one.captured_ms for one in found] == [1000, 2000]
    for kept, was in zip(found, (happy, unsure), strict=True):
        assert kept.model_dump().items() <= was.model_dump().items()
    assert found[1].between == ("fear", "surprise")
    assert HistoryQueries(database).episodes(Search()).items[0].model_dump() == span.model_dump()


def test_a_repeated_reading_or_episode_is_stored_once(database: Database):
    archive = HistoryWriter(database)
    for _ in range(3):
        archive.write([reading_event(1000), reading_event(1600)], [episode(1000, 2000)])
    assert counted(database) == (2, 1)


def test_two_gateways_that_record_at_the_same_time_store_two_readings_a_second(database: Database):
    times = range(10_000, 20_000, 66)
    for first in (0, 3):  # each lets another reading of a half second through
        HistoryWriter(database).write([reading_event(at) for at in times[first::7]], [])
    with database.reading() as connection:
        slots = connection.execute(select(readings.c.slot)).scalars().all()
    assert sorted(slots) == list(range(20, 40))


def test_a_recorded_episode_only_grows(database: Database):
    archive, pages = HistoryWriter(database), HistoryQueries(database)

    def stored() -> tuple[str, int]:
        only = pages.episodes(Search()).items[0]
        return only.phase, only.end_ms

    archive.write([], [episode(1000, 1000, "start")])
    archive.write([], [episode(1000, 3000, "update")])
    assert stored() == ("update", 3000)
    archive.write([], [episode(1000, 2000, "update")])  # late, from a gateway that has lost the lease
    assert stored() == ("update", 3000)
    archive.write([], [episode(1000, 3000, "end")])
    archive.write([], [episode(1000, 3000, "update")])
    assert stored() == ("end", 3000)


def test_an_episode_without_an_observed_end_is_closed_and_reopened_if_it_continues(database: Database):
    archive, pages = HistoryWriter(database), HistoryQueries(database)
    archive.write([], [episode(1000, 3000, "update"), episode(1000, 70_000, "update", track=2)])
    assert archive.close_episodes(60_000) == 1
    assert [one.phase for one in pages.episodes(Search(track=1)).items] == ["end"]
    assert [one.phase for one in pages.episodes(Search(track=2)).items] == ["update"]
    archive.write([], [episode(1000, 4000, "update")])
    assert [one.phase for one in pages.episodes(Search(track=1)).items] == ["update"]


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("source", [None, "front"])
def test_every_query_returns_what_a_scan_of_all_rows_returns(filled: Database, source: str | None, order: str):
    pages = HistoryQueries(filled)
    everything = walk(pages.readings, Search(order=order), 1000)
    spans = walk(pages.episodes, Search(order=order), 1000)
    assert (len(everything), len(spans)) == (320, 80)
    ways = product((None, 2), (None, "happy", "uncertain"), (None, 20_000), (None, 30_000))
    for track, emotion, from_ms, to_ms in ways:
        search = Search(source, track, emotion, from_ms, to_ms, order)
        assert walk(pages.readings, search) == [
            one
            for one in everything
            if source in {None, one.source}
            and track in {None, one.track}
            and emotion in {None, one.emotion}
            and (from_ms or 0) <= one.captured_ms < (to_ms or 10**15)
        ]
        assert walk(pages.episodes, search) == [
            one
            for one in spans
            if source in {None, one.source}
            and track in {None, one.track}
            and emotion in {None, one.emotion}
            and one.end_ms >= (from_ms or 0)
            and one.start_ms < (to_ms or 10**15)
        ]


def test_pages_stay_the_same_while_new_readings_arrive(filled: Database):
    pages = HistoryQueries(filled)
    first = pages.readings(Search(limit=100))
    HistoryWriter(filled).write([reading_event(60_000 + at) for at in range(0, 5000, 500)], [])
    later = walk(pages.readings, Search(after=first.next))
    assert len({(one.source, one.track, one.captured_ms) for one in (*first.items, *later)}) == 320


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"source": "front"},
        {"emotion": "happy"},
        {"source": "front", "emotion": "happy"},
        {"source": "front", "track": 1},
        {"source": "front", "track": 1, "emotion": "happy"},
        {"source": "front", "from_ms": 20_000, "to_ms": 30_000},
    ],
)
def test_every_page_is_read_from_an_index_in_its_order(filled: Database, filters: dict, order: str):
    for query, after in ((readings_query, (25_000, 100)), (episodes_query, (25_000, "front"))):
        for search in (Search(**filters, order=order), Search(**filters, order=order, after=after)):
            plan = " | ".join(planned(filled, query(search).limit(101)))
            assert "_by_" in plan
            assert not re.search(
                "TEMP B-TREE|Sort|SCAN (readings|episodes)( [|]|$)|Seq Scan on (readings|episodes)", plan
            )


def planned(database: Database, query: Select) -> list[str]:
    """The query plan; that of PostgreSQL as if the tables were too large to be read completely or sorted."""
    dialect = sqlite.dialect() if database.kind == "sqlite" else postgresql.dialect()
    statement = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    with database.reading() as connection:
        if database.kind == "postgresql":
            connection.execute(
                text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
            )
        explain = "EXPLAIN QUERY PLAN" if database.kind == "sqlite" else "EXPLAIN"
        return [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}")]


def test_only_rows_past_their_retention_are_deleted(filled: Database):
    archive = HistoryWriter(filled)
    gone = 0
    while swept := archive.sweep(30_000):
        gone += swept
    pages = HistoryQueries(filled)
    assert min(one.captured_ms for one in walk(pages.readings, Search())) == 30_000
    assert min(one.end_ms for one in walk(pages.episodes, Search())) >= 30_000
    assert gone == 400 - sum(counted(filled))


def test_readings_of_models_with_different_labels_are_stored_together(database: Database):
    other = reading_event(3000).model_copy(update={"model": "mine@2.0.0", "probabilities": {"calm": 0.9, "happy": 0.1}})
    HistoryWriter(database).write([reading_event(1000), other], [])
    pages = HistoryQueries(database)
    assert pages.labels() == ("calm", "happy", "angry", "fear", "sad", "surprise")
    assert pages.readings(Search()).items[0].probabilities == {"calm": 0.9, "happy": 0.1}


def test_a_value_that_the_database_rejects_is_distinguished_from_an_outage(postgres: PostgresServer):
    database = Database(postgres.new_database())
    migrate(database)
    with pytest.raises(RowsRefused):
        HistoryWriter(database).write([reading_event(1000).model_copy(update={"epoch": "\0"})], [])
    database.engine.dispose()


class OurLease:
    """Of no other gateway."""

    async def acquire_or_renew(self) -> bool:
        return True

    async def release(self) -> None:
        pass


def test_the_rest_of_a_batch_with_a_rejected_value_is_recorded(postgres: PostgresServer):
    database = Database(postgres.new_database())
    recorder = Recorder(database, LeaderElection(OurLease(), "recording"), RedisClock(), ErasedScopes())

    async def record() -> None:
        await recorder.poll_election()
        for at in range(0, 5000, 500):
            recorder.add_reading(reading_event(at).model_copy(update={"epoch": "\0"} if at == 2000 else {}))
        recorder.add_episode(episode(0, 4500, "update"))
        while recorder.waiting:
            await recorder.write()

    asyncio.run(asyncio.wait_for(record(), 60))
    assert counted(database) == (9, 1)
    assert recorder.dropped == 1
    database.engine.dispose()


def test_the_message_of_an_outage_does_not_contain_the_password(postgres: PostgresServer):
    url = postgres.new_database()
    with pytest.raises(DatabaseUnavailable, match="authentication failed") as caught:
        migrate(Database(url.replace("word@", "wrong@")))
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None
