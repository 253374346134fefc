"""A real Redis whose streams go on from ids of the future, as they do after its clock was set back by two hours."""

import asyncio
import json
from itertools import islice
from pathlib import Path

import pytest
from websockets.sync.client import connect as connect_socket

from api_gateway.erasure import streams
from contract import keys
from contract.messages.erasure import ErasureScope
from contract.redis.broker import Clients, connect_async
from emotii.local.redis_server import PrivateServer
from tests.stage import Producer, gateway_process, until
from tests.viewer import events_of

TWO_HOURS_MS = 2 * 3_600_000


def now_ms(clients: Clients) -> int:
    return int(clients.commands.time()[0]) * 1000


@pytest.mark.long
@pytest.mark.timeout(200)
def test_ages_stay_true_and_episodes_end_while_the_ids_lie_in_the_future(
    server: PrivateServer, clients: Clients, tmp_path: Path
):
    future = now_ms(clients) + TWO_HOURS_MS
    for key in (keys.results("front"), keys.crops("front")):
        clients.commands.xadd(key, {"v": "1", "kind": "nothing"}, id=f"{future}-0")
    with Producer(server.url) as producer, gateway_process(server.url, tmp_path / "faces") as gateway:
        until(gateway.ready, 60, "readiness")
        until(lambda: gateway.get("/emotion").json()["emotion"], 30, "the first reading")
        with connect_socket(f"{gateway.socket_url}?kind=reading") as client:
            ages = [one["age_ms"] for one in islice(events_of(client, "reading", 30), 40)]
        assert max(ages) < 60_000, ages
        clients.commands.delete(keys.results("front"))  # it begins anew, with ids that lie two hours back
        until(lambda: clients.commands.exists(keys.results("front")), 20, "new results")
        with connect_socket(f"{gateway.socket_url}?kind=reading") as client:
            assert [one["age_ms"] < 60_000 for one in islice(events_of(client, "reading", 30), 5)] == [True] * 5
        with connect_socket(f"{gateway.socket_url}?kind=episode") as client:
            assert json.loads(client.recv(timeout=20))["episodes"]
            producer.stop()
            ended = next(one for one in events_of(client, "episode", 45) if one["phase"] == "end")
        assert ended["source"] == "front"
        until(lambda: gateway.get("/emotion").json()["emotion"] is None, 30, "that nobody is seen any more")


def test_an_erasure_leaves_nothing_whose_time_nobody_knows(server: PrivateServer, clients: Clients):
    now = now_ms(clients)
    clients.commands.xadd(keys.results("front"), {"a": "b"}, id=f"{now + TWO_HOURS_MS}-0")
    clients.commands.xadd(keys.results("front"), {"a": "b"})

    async def erase() -> int:
        async_clients = connect_async(server.url, "test")
        try:
            scope = ErasureScope(source="front", from_ms=now - 100_000, to_ms=now - 50_000)
            return await streams.erase(async_clients.commands, scope)
        finally:
            await async_clients.close()

    assert asyncio.run(erase()) == 2
    assert clients.commands.xlen(keys.results("front")) == 0
