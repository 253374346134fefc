"""What waits to be written, places in a list, times in a query, addresses of databases: without a database."""

import asyncio
import sqlite3
import threading
import time
from contextlib import suppress

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from api_gateway.history import write_buffer
from api_gateway.history.database import Database, DatabaseUnavailable
from api_gateway.history.errors import UnknownCursor
from api_gateway.history.executor import BoundedExecutor
from api_gateway.history.migration import migrate
from api_gateway.history.queries import read_cursor, write_cursor
from api_gateway.history.recorder import Recorder
from api_gateway.history.write_buffer import EPISODE_SECONDS, Batch, ReadingSampler, WriteBuffer
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.routes.history_query import HistoryQuery
from contract.errors import SettingsError
from contract.redis.clock import RedisClock
from tests.recorded import episode, reading_event

SECOND = 1000


def test_two_readings_a_second_of_each_track_are_admitted():
    thinning = ReadingSampler()
    through = [at for at in range(10 * SECOND, 13 * SECOND, 66) if thinning.admits(reading_event(at))]
    assert through == [10_000, 10_528, 11_056, 11_518, 12_046, 12_508]


def test_each_track_is_sampled_separately():
    thinning = ReadingSampler()
    assert [
        thinning.admits(one)
        for one in (reading_event(5), reading_event(6, track=2), reading_event(7), reading_event(8, source="door"))
    ] == [
        True,
        True,
        False,
        True,
    ]


def test_two_gateways_keep_the_same_readings():
    times = range(10 * SECOND, 20 * SECOND, 41)
    first, second = ReadingSampler(), ReadingSampler()
    assert [first.admits(reading_event(at)) for at in times] == [second.admits(reading_event(at)) for at in times]


def test_waiting_readings_are_taken_in_order_and_only_once():
    waiting = WriteBuffer()
    for at in (500, 1000, 1500):
        waiting.add_reading(reading_event(at))
    assert [one.captured_ms for one in waiting.take(2, now=0).readings] == [500, 1000]
    assert [one.captured_ms for one in waiting.take(2, now=0).readings] == [1500]
    assert not waiting.take(2, now=0)
    assert len(waiting) == 0


def test_above_the_limit_the_oldest_readings_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(write_buffer, "MOST_READINGS", 3)
    monkeypatch.setattr(write_buffer, "MOST_EPISODES", 1)
    waiting = WriteBuffer()
    for at in range(0, 5000, 1000):
        waiting.add_reading(reading_event(at))
        waiting.add_episode(episode(at, at + 500))
    batch = waiting.take(100, now=0)
    assert [one.captured_ms for one in batch.readings] == [2000, 3000, 4000]
    assert [one.start_ms for one in batch.episodes] == [4000]
    assert waiting.dropped == 2 + 4


def test_a_running_episode_is_written_at_once_then_every_few_seconds_and_at_its_end():
    waiting = WriteBuffer()
    due = []
    for second in range(8):
        phase = "end" if second == 7 else "update"
        waiting.add_episode(episode(0, second * SECOND, phase))
        due += [one.end_ms for one in waiting.take(10, now=100.0 + second).episodes]
    assert due == [0, 3 * SECOND, 6 * SECOND, 7 * SECOND]
    assert EPISODE_SECONDS == 3


def test_everything_is_written_at_the_shutdown():
    waiting = WriteBuffer()
    waiting.add_episode(episode(0, 1000, "start"))
    waiting.take(10, now=0)
    waiting.add_episode(episode(0, 1500, "update"))
    assert not waiting.take(10, now=0.5)
    assert waiting.take(10, now=0.5, all_episodes=True)


def test_a_gateway_that_takes_over_has_what_the_other_may_not_have_written():
    recent, owed = WriteBuffer(), WriteBuffer()
    for at in range(0, 30 * SECOND, 500):
        recent.add_reading(reading_event(at))
    recent.add_episode(episode(0, 2 * SECOND))
    recent.add_episode(episode(25 * SECOND, 29 * SECOND, "update"))
    recent.discard_before(15 * SECOND)
    owed.absorb(recent)
    batch = owed.take(1000, now=0)
    assert [one.captured_ms for one in batch.readings] == list(range(15 * SECOND, 30 * SECOND, 500))
    assert [one.start_ms for one in batch.episodes] == [25 * SECOND]
    assert len(recent) == 0


def test_the_halves_of_a_batch_contain_all_of_it():
    readings = tuple(reading_event(at) for at in (0, 500, 1000))
    episodes = (episode(0, 1), episode(1000, 2000))
    for batch in (
        Batch(readings, episodes),
        Batch(readings[:1], episodes[:1]),
        Batch(readings[:2]),
        Batch((), episodes),
    ):
        first, second = batch.halves()
        assert (*first.readings, *second.readings) == batch.readings
        assert (*first.episodes, *second.episodes) == batch.episodes
        assert len(first) < len(batch) > len(second)


@pytest.mark.parametrize(("place", "key"), [((1_790_000_000_000, 7), int), ((0, "front-e1-3-5120"), str)])
def test_a_position_survives_encoding_as_a_cursor(place: tuple, key: type):
    assert read_cursor(write_cursor(place), key) == place


@pytest.mark.parametrize(
    "word",
    ["", "nonsense", "%%%", "äöü", write_cursor((1, "a")), write_cursor((-1, 2)), write_cursor((2**70, 2)), "W10",
     "bnVsbA", write_cursor((1, 2**63)), write_cursor((True, 2)), write_cursor((1.5, 2)), "WzEsMl"],
)  # fmt: skip
def test_an_invalid_cursor_is_refused(word: str):
    with pytest.raises(ValueError, match="next"):
        read_cursor(word, int)
    with pytest.raises(UnknownCursor):
        HistoryQuery(after=word).search(int, 100)


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("1790000000000", 1_790_000_000_000),
        ("0", 0),
        ("2026-01-31T23:59:59Z", 1_769_903_999_000),
        ("2026-01-31T23:59:59.250Z", 1_769_903_999_250),
        ("2026-02-01T00:59:59+01:00", 1_769_903_999_000),
        ("2026-02-01T00:59:59 01:00", 1_769_903_999_000),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_a_time_is_given_in_milliseconds_or_in_the_format_of_the_rfc(written: str, milliseconds: int):
    query = HistoryQuery.model_validate({"from": written, "to": written})
    assert (query.from_, query.to) == (milliseconds, milliseconds)


@pytest.mark.parametrize(
    "written", ["yesterday", "2026-01-31T23:59:59", "-1", "1e3", "9" * 30, "", "2026-13-01T00:00:00Z"]
)
def test_an_invalid_time_is_refused(written: str):
    with pytest.raises(ValidationError):
        HistoryQuery.model_validate({"from": written})


@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "mysql://user:hunter2@host/x", "sqlite://", "sqlite:///:memory:",
        "postgresql:/user:hunter2@host", "postgresql://user:hunter2@host:port/x", "redis://user:hunter2@host",
        "user:hunter2@host/x",
    ],
)  # fmt: skip
def test_an_invalid_database_url_is_refused_without_showing_its_password(url: str):
    with pytest.raises(SettingsError, match="EMOTII_DATABASE_URL") as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("sqlite:///history.db", "sqlite"),
        ("sqlite:////srv/history.db", "sqlite"),
        ("postgresql://user:pw@host/x", "postgresql"),
        ("postgres://host/x", "postgresql"),
        ("postgresql+psycopg://host/x", "postgresql"),
    ],
)
def test_creating_a_database_object_does_not_open_the_database(url: str, kind: str):
    assert Database(url).kind == kind


def test_a_call_that_hangs_is_abandoned_and_does_not_delay_other_kinds():
    async def scene() -> str:
        aside, thaw = BoundedExecutor(1, 0.1), threading.Event()
        with pytest.raises(DatabaseUnavailable, match="no answer"):
            await aside.call(thaw.wait)
        with pytest.raises(DatabaseUnavailable, match="no answer"):
            await aside.call(lambda: "another must wait for the first")
        thaw.set()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with suppress(DatabaseUnavailable):
                return await aside.call(lambda: "well again")
        return "the call that ended still holds its place"

    assert asyncio.run(scene()) == "well again"


def test_an_error_of_a_call_is_raised_in_its_caller():
    def broken() -> None:
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError, match="ours"):
        asyncio.run(BoundedExecutor(1, 5).call(broken))


def test_a_history_that_is_too_slow_at_the_end_is_logged_with_its_reason(tmp_path):
    path = tmp_path / "history.db"
    migrate(Database(f"sqlite:///{path}"))
    database, clock = Database(f"sqlite:///{path}"), RedisClock()
    recorder = Recorder(database, Leader(), clock, ErasedScopes())
    recorder.add_reading(reading_event(1000))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # another process writes for longer than the gateway waits
    with capture_logs() as logs:
        asyncio.run(recorder.flush())
    other.close()
    (line,) = (one for one in logs if one["event"] == "the end of the history was not written")
    assert line["error"] == "no response in time"
    assert line["waiting"] == 1


class Leader:
    """The election of a gateway that is alone."""

    is_leader = True
