"""Gateways that record, as processes: killed, without their database, with one that hangs."""

import csv
import io
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from api_gateway.history.tables import SLOT_MS
from contract import keys
from contract.messages import Reading, read_outcome
from emotii.local.redis_server import PrivateServer
from tests.postgres import PASSWORD, PostgresServer
from tests.stage import GatewayProcess, Producer, gateway_process, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def producer(server: PrivateServer):
    with Producer(server.url) as producer:
        yield producer


def readings(gateway: GatewayProcess, **filters: object) -> list[dict]:
    """Everything that was recorded, the oldest first."""
    found, after = [], None
    while True:
        query = {"order": "oldest", "limit": 1000, **filters, **({"after": after} if after else {})}
        answer = gateway.get("/api/v1/readings", params=query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if (after := answer.json()["next"]) is None:
            return found


def recorded(gateway: GatewayProcess, more_than: int = 0) -> bool:
    """Whether there are so many readings in the database."""
    try:
        answer = gateway.get("/api/v1/readings?limit=1000")
    except httpx.TransportError:  # it does not listen yet
        return False
    return answer.status_code == 200 and len(answer.json()["items"]) > more_than


def records(gateway: GatewayProcess) -> bool:
    """Whether it is this gateway that records."""
    lines = [line for line in gateway.log.read_text().splitlines() if "recording history" in line]
    return bool(lines) and "leader elected" in lines[-1]


def test_readings_and_episodes_are_recorded_and_can_be_queried(
    server: PrivateServer, producer: Producer, database_url: str, tmp_path: Path
):
    with gateway_process(server.url, tmp_path / "faces", database_url=database_url) as gateway:
        until(lambda: recorded(gateway, 12), 90, "a dozen readings")
        found = readings(gateway)
        assert {(one["source"], one["track"], one["emotion"]) for one in found} == {
            ("front", 1, "happy"),
            ("front", 2, "sad"),
        }
        assert set(Counter((one["track"], one["captured_ms"] // SLOT_MS) for one in found).values()) == {1}
        assert {one["emotion"] for one in readings(gateway, track=2, source="front")} == {"sad"}
        running = gateway.get("/api/v1/episodes").json()["items"]
        assert {(one["emotion"], one["phase"] == "end") for one in running} == {("happy", False), ("sad", False)}
        sheet = gateway.get("/api/v1/readings?format=csv&order=oldest")
        assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(sheet.text)))
        assert len(rows) >= len(found)
        assert [int(row["captured_ms"]) for row in rows[: len(found)]] == [one["captured_ms"] for one in found]
        assert float(rows[0]["happy"]) == found[0]["probabilities"]["happy"]
        spans = list(csv.DictReader(io.StringIO(gateway.get("/api/v1/episodes?format=csv").text)))
        assert {row["id"] for row in spans} >= {one["id"] for one in running}


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_recorder_that_takes_over_leaves_no_gap_and_stores_nothing_twice(
    server: PrivateServer, producer: Producer, database_url: str, tmp_path: Path
):
    with (
        gateway_process(server.url, tmp_path / "one", database_url=database_url) as one,
        gateway_process(server.url, tmp_path / "two", database_url=database_url) as two,
    ):
        until(lambda: recorded(one, 12) and recorded(two, 12), 90, "readings")
        killed, other = (one, two) if records(one) else (two, one)
        killed.process.kill()
        until(lambda: records(other), 60, "the other gateway to record")
        before = len(readings(other))
        until(lambda: recorded(other, before + 12), 60, "readings of the other")
        ended = other.process
        assert missing(readings(other), producer) == []
        ended.send_signal(signal.SIGTERM)
        assert ended.wait(15) == 0


@pytest.mark.long
def test_a_gateway_that_is_killed_and_restarted_leaves_no_gap(
    server: PrivateServer, producer: Producer, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/history.db"
    with gateway_process(server.url, tmp_path / "one", database_url=url) as one:
        until(lambda: recorded(one, 12), 90, "readings")
        one.process.kill()
    killed_ms = time.time() * 1000
    with gateway_process(server.url, tmp_path / "two", database_url=url) as two:
        until(lambda: records(two), 60, "the recording")
        until(lambda: readings(two)[-1]["captured_ms"] > killed_ms + 10_000, 60, "readings of now")
        assert missing(readings(two), producer) == []
        assert len({one["id"] for one in two.get("/api/v1/episodes").json()["items"]}) == 2


def missing(found: list[dict], producer: Producer) -> list[int]:
    """The half seconds between the first and the last recorded one in which track 1 was read but not recorded."""
    slots = [one["captured_ms"] // SLOT_MS for one in found if one["track"] == 1]
    assert len(slots) == len(set(slots)), "something is recorded twice"
    entries = producer.clients.commands.xrange(keys.results(producer.source))
    outcomes = [read_outcome(fields) for _, fields in entries]
    read = {one.captured_ms // SLOT_MS for one in outcomes if isinstance(one, Reading) and one.face.track == 1}
    return sorted(slot for slot in read - set(slots) if slots[0] < slot < slots[-1])


def test_a_disabled_history_opens_no_database(server: PrivateServer, producer: Producer, tmp_path: Path):
    with gateway_process(server.url, tmp_path / "faces", history="0") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], what="a reading")
        answer = gateway.get("/api/v1/readings")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_history")
        assert not (tmp_path / "faces.db").exists()


def test_live_readings_continue_without_a_database_and_the_backlog_is_written_when_it_returns(
    server: PrivateServer, producer: Producer, tmp_path: Path
):
    folder = tmp_path / "later"
    folder.write_text("in the way")
    with gateway_process(server.url, tmp_path / "faces", database_url=f"sqlite:///{folder}/history.db") as gateway:
        until(lambda: "history database unavailable" in gateway.log.read_text(), 60, "a warning")
        until(lambda: gateway.get("/emotion").json()["emotion"], 30, "a reading")
        answer = gateway.get("/api/v1/readings")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "history_unavailable")
        seen_ms = time.time() * 1000
        time.sleep(1)  # of an outage
        folder.unlink()
        until(lambda: "history database available again" in gateway.log.read_text(), 60, "the end of the outage")
        until(lambda: recorded(gateway), 30, "readings")
        assert readings(gateway)[0]["captured_ms"] < seen_ms


@pytest.mark.long
def test_a_restart_of_postgresql_loses_nothing(
    server: PrivateServer, producer: Producer, postgres: PostgresServer, tmp_path: Path
):
    with gateway_process(server.url, tmp_path / "faces", database_url=postgres.new_database()) as gateway:
        until(lambda: recorded(gateway, 8), 90, "readings")
        postgres.stop()
        try:
            until(lambda: "history database unavailable" in gateway.log.read_text(), 60, "a warning")
            assert gateway.get("/api/v1/readings").status_code == 503
            assert gateway.get("/emotion").json()["emotion"] == "happy"
        finally:
            postgres.start()
        until(lambda: "history database available again" in gateway.log.read_text(), 60, "the end of the outage")
        before = len(readings(gateway))
        until(lambda: recorded(gateway, before), 30, "more readings")
        assert missing(readings(gateway), producer) == []


@pytest.mark.long
def test_a_frozen_postgresql_delays_neither_live_readings_nor_the_shutdown(
    server: PrivateServer, producer: Producer, postgres: PostgresServer, tmp_path: Path
):
    with gateway_process(server.url, tmp_path / "faces", database_url=postgres.new_database()) as gateway:
        until(lambda: recorded(gateway), 90, "readings")
        with postgres.frozen():
            until(lambda: "history database unavailable" in gateway.log.read_text(), 60, "a warning")
            for _ in range(6):  # more than there are threads for it
                assert gateway.get("/api/v1/readings").status_code == 503
            assert gateway.get("/emotion").json()["emotion"] == "happy"
            assert gateway.get("/api/v1/faces").status_code == 200
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.process.wait(15) == 0


def test_a_database_password_is_in_no_log_and_no_response(
    server: PrivateServer, producer: Producer, postgres: PostgresServer, tmp_path: Path
):
    url = postgres.new_database().replace("word@", "wrong@")
    with gateway_process(server.url, tmp_path / "faces", database_url=url) as gateway:
        until(lambda: "authentication failed" in gateway.log.read_text(), 60, "a warning")
        answer = gateway.get("/api/v1/episodes")
        assert answer.status_code == 503
        assert PASSWORD[:6] not in gateway.log.read_text() + answer.text
