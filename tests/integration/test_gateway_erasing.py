"""Erasing in the streams of a real server: what stays is as it was, and no crop comes to two outcomes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import redis.asyncio
from redis.exceptions import ResponseError

from api_gateway.erasure import streams
from contract import keys
from contract.messages.erasure import ErasureScope
from contract.redis.broker import Clients, connect_async
from contract.redis.commit import Outgoing, commit
from emotii.local.redis_server import PrivateServer

CROPS, RESULTS = keys.crops("front"), keys.results("front")
NOW = ErasureScope(to_ms=2**42)
GROUP = keys.INFERENCE_GROUP


def run(server: PrivateServer, work: Callable[[redis.asyncio.Redis], Awaitable[object]]) -> object:
    async def connected() -> object:
        clients = connect_async(server.url, "test")
        try:
            return await work(clients.commands)
        finally:
            await clients.close()

    return asyncio.run(connected())


def ids(clients: Clients, key: str) -> list[bytes]:
    return [entry for entry, _ in clients.commands.xrange(key)]


def fill(clients: Clients, key: str, *times: int) -> None:
    for at in times:
        clients.commands.xadd(key, {b"seen": b"at %d" % at, b"more": b"x"}, id=f"{at}-0")


def test_all_entries_are_erased_and_the_stream_keeps_its_group_and_its_ids(
    any_server: PrivateServer, any_clients: Clients
):
    client = any_clients.commands
    fill(any_clients, CROPS, 1000, 2000, 3000)
    client.xgroup_create(CROPS, GROUP, id="0")
    client.xreadgroup(GROUP, "w1", {CROPS: ">"}, count=2)
    client.set(keys.snapshot("front"), b"{}")
    assert run(any_server, lambda client: streams.erase(client, NOW)) == 3
    assert ids(any_clients, CROPS) == []
    assert client.xpending(CROPS, GROUP)["pending"] == 0
    assert not client.exists(keys.snapshot("front"))
    with pytest.raises(ResponseError, match="equal or smaller"):
        client.xadd(CROPS, {b"a": b"b"}, id="3000-0")
    fill(any_clients, CROPS, 4000)
    assert client.xreadgroup(GROUP, "w1", {CROPS: ">"})[0][1][0][0] == b"4000-0"


def test_a_crop_that_is_erased_while_a_worker_classifies_it_gets_no_outcome(
    any_server: PrivateServer, any_clients: Clients
):
    client = any_clients.commands
    fill(any_clients, CROPS, 1000)
    client.xgroup_create(CROPS, GROUP, id="0")
    client.xreadgroup(GROUP, "w1", {CROPS: ">"})
    run(any_server, lambda client: streams.erase(client, NOW))
    late = {"front": [Outgoing(b"1000-0", "results", {b"seen": b"at 1000"})]}
    assert commit(client, late, {"front": 100}) == {"front": 0}
    assert ids(any_clients, RESULTS) == []


def test_the_entries_before_and_after_an_erased_span_stay_unchanged(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    fill(any_clients, RESULTS, 1_000, 50_000, 60_000, 90_000)
    client.xdel(RESULTS, "90000-0")
    client.expire(RESULTS, 100)
    span = ErasureScope(from_ms=40_000, to_ms=55_000)
    assert run(any_server, lambda client: streams.erase(client, span)) == 2, "and what came of it a little later"
    assert client.xrange(RESULTS) == [(b"1000-0", {b"seen": b"at 1000", b"more": b"x"})]
    assert 90 < client.ttl(RESULTS) <= 100
    with pytest.raises(ResponseError, match="equal or smaller"):
        client.xadd(RESULTS, {b"a": b"b"}, id="90000-0")
    assert not client.exists(keys.erasing("front"))


def test_a_remaining_crop_that_is_delivered_to_two_workers_gets_one_outcome(
    any_server: PrivateServer, any_clients: Clients
):
    client = any_clients.commands
    fill(any_clients, CROPS, 1_000, 60_000)
    client.xgroup_create(CROPS, GROUP, id="0")
    client.xreadgroup(GROUP, "w1", {CROPS: ">"})
    run(any_server, lambda client: streams.erase(client, ErasureScope(to_ms=5_000)))
    ((_, again),) = client.xreadgroup(GROUP, "w2", {CROPS: ">"})
    assert [entry for entry, _ in again] == [b"60000-0"]
    outcome = {"front": [Outgoing(b"60000-0", "results", {b"seen": b"at 60000"})]}
    assert [commit(client, outcome, {"front": 100})["front"] for _ in range(2)] == [1, 0]
    assert len(ids(any_clients, RESULTS)) == 1


def test_other_sources_and_keys_that_are_not_streams_stay_unchanged(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    fill(any_clients, RESULTS, 1000)
    fill(any_clients, keys.results("door"), 1000)
    client.set(keys.dead("front"), b"no stream")
    span = ErasureScope(source="front", to_ms=2**42)
    assert run(any_server, lambda client: streams.erase(client, span)) == 1
    assert len(ids(any_clients, keys.results("door"))) == 1
    assert client.get(keys.dead("front")) == b"no stream"


def test_a_server_without_free_memory_can_erase(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    fill(any_clients, CROPS, 1000, 2000)
    client.xgroup_create(CROPS, GROUP, id="0")
    client.config_set("maxmemory", 1)
    try:
        assert run(any_server, lambda client: streams.erase(client, NOW)) == 2
    finally:
        client.config_set("maxmemory", 0)
    assert ids(any_clients, CROPS) == []


def test_an_erasure_waits_for_a_running_rewrite_and_starts_another_one(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    client.set("filler", b"x" * 50_000_000)
    before = client.info("persistence").get("aof_rewrites")
    client.bgrewriteaof()
    run(any_server, streams.rewrite_file)
    about = client.info("persistence")
    assert not about["aof_rewrite_in_progress"]
    if before is not None:
        assert about["aof_rewrites"] == before + 2
