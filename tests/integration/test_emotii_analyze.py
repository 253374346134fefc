"""Analyses from end to end in the test's process, with a small backlog limit and a Redis that loses data."""

import csv
import io
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from rich.console import Console

from contract import keys
from contract.errors import EmotiiError
from contract.messages import SourceStatus
from emotii.commands.analyze import analyze
from emotii.settings import UpSettings
from jobs_service.outputs.outputs import Outputs
from tests.capture import until
from tests.inference import working

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def analyzed(server, tmp_path):
    """Analyses the demo; returns how often each face is in the table."""

    def run():
        path = tmp_path / "faces.csv"
        analyze("demo", Outputs(readings_csv=path), 1, UpSettings(redis_url=server.url), Console(file=io.StringIO()))
        with path.open(newline="") as file:
            return Counter((int(row["frame"]), int(row["face"])) for row in csv.DictReader(file))

    return run


@pytest.fixture
def besides():
    """A thread for what happens during an analysis."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def crops_waiting(client):
    """Entries of the only job."""
    return sum(client.xlen(key) for key in client.scan_iter(keys.crops("*")))


def frames_sent(client):
    """Frames that the only job has sent, according to its heartbeat."""
    return max((SourceStatus.model_validate_json(value).frames for value in client.hvals(keys.SOURCES)), default=0)


def test_a_job_with_the_smallest_backlog_limit_completes(server, analyzed, monkeypatch):
    monkeypatch.setenv("EMOTII_JOB_BACKLOG_LIMIT", "100")
    with working(server.url):
        faces = analyzed()
    assert sum(faces.values()) > 150
    assert max(faces.values()) == 1


def test_entries_beyond_the_backlog_limit_that_redis_loses_are_sent_again(
    server, clients, analyzed, besides, monkeypatch
):
    client = clients.commands
    monkeypatch.setenv("EMOTII_JOB_BACKLOG_LIMIT", "100")
    with working(server.url):
        undisturbed = analyzed()

    over = Event()

    def lose_data_three_times_and_then_work():
        for _ in range(3):
            until(lambda: crops_waiting(client) >= 60)
            client.flushall()
        with working(server.url):
            over.wait(90)

    meanwhile = besides.submit(lose_data_three_times_and_then_work)
    try:
        assert analyzed() == undisturbed
    finally:
        over.set()
    meanwhile.result(10)


def test_a_signal_ends_a_job_that_waits_to_send_again(clients, analyzed, besides, monkeypatch):
    client = clients.commands
    monkeypatch.setenv("EMOTII_JOB_BACKLOG_LIMIT", "200")

    def lose_data_twice_and_end():
        until(lambda: crops_waiting(client) >= 200)
        client.flushall()
        until(lambda: frames_sent(client) == 120)
        client.flushall()
        until(lambda: crops_waiting(client) >= 200)
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        return time.monotonic()

    meanwhile = besides.submit(lose_data_twice_and_end)
    with pytest.raises(EmotiiError, match="stopped before the end"):
        analyzed()
    assert time.monotonic() - meanwhile.result(1) < 10
