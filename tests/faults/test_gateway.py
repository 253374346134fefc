"""Rows 4 and 8 as clients of the gateway see them."""

import time

import pytest
from websockets.sync.client import connect as connect_socket

from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.waiting import until
from tests.stage import gateway_process
from tests.viewer import events_of


@pytest.fixture
def scene(server, crew, clients, tmp_path):
    """A camera with faces, a worker, a gateway that publishes the readings, and a client that receives them."""
    ledger = Ledger(clients.commands, "front")
    crew.start()
    with (
        Load(server.url, ledger, 10, deadline_after_ms=500, backlog_limit=40, ends_frames=True) as load,
        gateway_process(server.url, tmp_path / "faces", history="0s") as gateway,
    ):
        until(lambda: "listens" in gateway.log.read_text())
        with connect_socket(gateway.socket_url) as client:
            next(events_of(client, "reading", 60))
            yield load, gateway, client


def figures(client, seconds=20):
    return next(events_of(client, "stats", seconds))["sources"]["front"]


@pytest.mark.row(4)
def test_live_readings_are_stale_while_there_are_no_workers_and_fresh_when_they_return(scene, crew):
    _, gateway, client = scene
    until(lambda: figures(client)["waiting_ms"] < 500)
    crew.workers[0].freeze()
    gone = time.monotonic()
    until(lambda: figures(client)["waiting_ms"] > 500)
    assert time.monotonic() - gone < 6  # the promise is 2 s; this machine may be busy
    until(lambda: gateway.get("/emotion").json() == {"emotion": None, "confidence": 0.0})
    crew.workers[0].thaw()
    crew.start()
    until(lambda: figures(client)["waiting_ms"] < 500)
    until(lambda: not next(events_of(client, "reading", 40))["stale"])


@pytest.mark.row(8)
def test_clients_receive_a_gap_event_for_data_that_a_flush_removed(scene, clients, crew):
    load, _, client = scene
    before = figures(client)["gaps"]
    with load.quiet:  # a frame is there, and no worker had it yet
        crew.workers[0].freeze()
    frames = load.frames
    until(lambda: load.frames > frames + 5)
    clients.commands.flushall()
    crew.workers[0].thaw()
    flushed = time.monotonic()
    until(lambda: figures(client)["gaps"] > before)
    assert time.monotonic() - flushed < 15  # the promise is 5 s; this machine may be busy
    assert next(events_of(client, "reading", 20))["source"] == "front"
