"""Episodes of real gateways over a real server: the same in each of them, whenever it started."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.stage import HAPPY, SAD, UNSURE, GatewayProcess, Producer, gateway_process, until
from tests.viewer import events_of

BOX = (220.0, 100.0, 120.0, 140.0)


@contextmanager
def ready_gateway(server: PrivateServer, folder: Path) -> Iterator[GatewayProcess]:
    with gateway_process(server.url, folder, history="0") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], what="the first reading")
        yield gateway


def ends(client: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next episodes that end, by track and start."""
    return sorted(islice(_ends(client), count), key=lambda one: (one["track"], one["start_ms"]))


def _ends(client: ClientConnection) -> Iterator[dict[str, Any]]:
    return (one for one in events_of(client, "episode", 45) if one["phase"] == "end")


def running(client: ClientConnection) -> dict[str, dict[str, Any]]:
    """The episodes of the hello, by id."""
    return {one["id"]: one for one in json.loads(client.recv(timeout=20))["episodes"]}


def show(producer: Producer, probabilities: tuple[float, ...]) -> None:
    producer.faces.shown = {1: (BOX, probabilities), 2: ((60.0, 120.0, 60.0, 70.0), SAD)}


@pytest.mark.timeout(300)  # two gateways start one after the other, on busy machines slowly
def test_a_gateway_that_starts_in_the_middle_of_an_episode_publishes_the_same_ids_and_ends(
    server: PrivateServer, clients: Clients, producer: Producer, tmp_path: Path
):
    producer.disorder = True
    with ready_gateway(server, tmp_path / "a") as first, ExitStack() as stack:
        until(lambda: clients.commands.exists(keys.snapshot("front")), what="a snapshot")
        # What the snapshot is of can be read nowhere else any more.
        clients.commands.xtrim(keys.results("front"), maxlen=20, approximate=False)
        begun_ms = clients.commands.time()[0] * 1000
        second = stack.enter_context(ready_gateway(server, tmp_path / "b"))
        sockets = [
            stack.enter_context(connect_socket(f"{one.socket_url}?kind=episode", max_queue=None))
            for one in (first, second)
        ]
        hellos = [running(client) for client in sockets]
        assert hellos[0].keys() == hellos[1].keys() == {"front-e1-1-0", "front-e1-2-0"}
        assert all(one["start_ms"] < begun_ms for one in hellos[1].values())
        show(producer, SAD)
        until(lambda: second.get("/emotion").json()["emotion"] == "sad", what="the change")
        show(producer, UNSURE)
        until(lambda: second.get("/emotion").json()["emotion"] == "uncertain", what="the gap")
        show(producer, HAPPY)
        until(lambda: second.get("/emotion").json()["emotion"] == "happy", what="the second change")
        producer.state, producer.reason = "OFFLINE", "unplugged"
        published = [ends(client, 4) for client in sockets]
    assert published[0] == published[1]
    assert [(one["track"], one["emotion"]) for one in published[0]] == [
        (1, "happy"),
        (1, "sad"),
        (1, "happy"),
        (2, "sad"),
    ]
    assert {published[0][0]["id"], published[0][3]["id"]} == {"front-e1-1-0", "front-e1-2-0"}
    assert published[0][3]["end_ms"] == published[0][2]["end_ms"], "both end with the last frame of the dead source"


def test_the_gateway_that_replaces_a_killed_one_continues_its_episodes(
    server: PrivateServer, clients: Clients, producer: Producer, tmp_path: Path
):
    with ready_gateway(server, tmp_path / "a") as first:
        until(lambda: clients.commands.exists(keys.snapshot("front")), what="a snapshot")
        first.process.kill()
        first.process.wait(10)
    clients.commands.xtrim(keys.results("front"), maxlen=200, approximate=False)
    with ready_gateway(server, tmp_path / "b") as second, connect_socket(second.socket_url) as client:
        assert running(client).keys() == {"front-e1-1-0", "front-e1-2-0"}


@pytest.mark.parametrize("written", [b"{}", b"nonsense", b'{"v":2}'])
def test_a_gateway_without_a_readable_snapshot_starts_at_the_first_stored_result(
    server: PrivateServer, clients: Clients, tmp_path: Path, written: bytes
):
    clients.commands.set(keys.snapshot("front"), written)
    with Producer(server.url) as producer:
        until(lambda: producer.frame > 30, what="some frames")
        with ready_gateway(server, tmp_path / "a") as gateway, connect_socket(gateway.socket_url) as client:
            assert running(client).keys() == {"front-e1-1-0", "front-e1-2-0"}


@pytest.mark.alone
def test_readings_are_published_in_frame_order_although_workers_finish_out_of_order(
    gateway: GatewayProcess, producer: Producer
):
    producer.disorder = True
    with connect_socket(gateway.socket_url) as client:
        seen = [(one["frame"], one["face"]) for one in islice(events_of(client, "reading", 30), 60)]
    assert seen == sorted(seen)
    assert len({frame for frame, _ in seen}) == seen[-1][0] - seen[0][0] + 1
