"""The registry as a gateway reads it, from a real server."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from api_gateway.sources.errors import UnknownSource
from api_gateway.sources.registry import Registry
from contract import keys
from contract.messages import FORGOTTEN_MS, STATUS_TTL_MS, SourceStatus
from contract.redis.broker import Clients, connect_async
from contract.redis.clock import RedisClock
from emotii.local.redis_server import PrivateServer


class Notifications:
    """The calls of a registry to its callbacks."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []
        self.gone: list[str] = []

    def change(self, status: SourceStatus) -> None:
        self.changes.append((status.name, status.state))


def with_registry(
    server: PrivateServer, scene: Callable[[Registry, RedisClock, Notifications], Awaitable[None]]
) -> Notifications:
    async def play() -> None:
        clients = connect_async(server.url, "test")
        clock = RedisClock()
        registry = Registry(clients.commands, clock, notifications.change, notifications.gone.append)
        try:
            await scene(registry, clock, notifications)
        finally:
            await clients.close()

    notifications = Notifications()
    asyncio.run(play())
    return notifications


def announce(clients: Clients, name: str, *, age_ms: int = 0, order: int = 0, **more: object) -> None:
    seconds, micros = clients.commands.time()
    seen_ms = seconds * 1000 + micros // 1000 - age_ms
    status = SourceStatus(name=name, kind="camera", order=order, state="ONLINE", since_ms=seen_ms, seen_ms=seen_ms)
    clients.commands.hset(keys.SOURCES, name, json.dumps(status.model_dump() | more))


def test_a_live_source_is_the_default_before_a_silent_one(any_server: PrivateServer, any_clients: Clients):
    announce(any_clients, "alpha", age_ms=STATUS_TTL_MS + 1000)
    announce(any_clients, "demo", order=1)

    async def scene(registry: Registry, _clock: RedisClock, _notifications: Notifications) -> None:
        await registry.poll()
        assert registry.chosen(None) == "demo"
        assert [(one.name, one.state) for one in registry.sources()] == [("demo", "ONLINE"), ("alpha", "OFFLINE")]
        announce(any_clients, "alpha")
        await registry.poll()
        assert registry.chosen(None) == "alpha"

    with_registry(any_server, scene)


def test_while_no_source_is_live_the_first_of_all_is_the_default(server: PrivateServer, clients: Clients):
    announce(clients, "front", age_ms=20_000)
    announce(clients, "door", age_ms=10_000, order=1)

    async def scene(registry: Registry, _clock: RedisClock, _notifications: Notifications) -> None:
        await registry.poll()
        assert registry.chosen(None) == "front"

    with_registry(server, scene)


def test_a_source_that_is_silent_for_a_minute_is_gone_and_reported_once(server: PrivateServer, clients: Clients):
    announce(clients, "door", age_ms=FORGOTTEN_MS + 1000)
    announce(clients, "front", age_ms=FORGOTTEN_MS - 2000)

    async def scene(registry: Registry, _clock: RedisClock, notifications: Notifications) -> None:
        await registry.poll()
        assert registry.chosen("front") == "front"
        with pytest.raises(UnknownSource, match="there are: front"):
            registry.chosen("door")
        async with asyncio.timeout(20):
            while registry.sources():
                await registry.poll()
        await registry.poll()
        assert notifications.gone == ["front"]
        announce(clients, "front")
        await registry.poll()

    assert with_registry(server, scene).changes == [("front", "OFFLINE"), ("front", "ONLINE")]


def test_after_a_long_outage_of_redis_no_source_is_gone_at_once(server: PrivateServer, clients: Clients):
    announce(clients, "front")

    async def scene(registry: Registry, clock: RedisClock, notifications: Notifications) -> None:
        await registry.poll()
        registry._polled_ms -= 10 * FORGOTTEN_MS  # as if so much time had gone by without a poll
        announce(clients, "front", age_ms=10 * FORGOTTEN_MS)
        await registry.poll()
        assert registry.chosen(None) == "front"
        assert notifications.gone == []

    assert with_registry(server, scene).changes == [("front", "ONLINE"), ("front", "OFFLINE")]


@pytest.mark.parametrize("broken", ["{", '{"v": 1}', "[]", "NaN"])
def test_a_malformed_status_is_ignored(server: PrivateServer, clients: Clients, broken: str):
    announce(clients, "front")
    announce(clients, "x", fps=float("nan"))
    clients.commands.hset(keys.SOURCES, "junk", broken)
    clients.commands.hset(keys.WORKERS, "junk", broken)

    async def scene(registry: Registry, _clock: RedisClock, _notifications: Notifications) -> None:
        await registry.poll()
        assert [one.name for one in registry.sources()] == ["front"]
        assert registry.workers() == []

    with_registry(server, scene)


def test_a_malformed_status_is_one_warning_and_forgotten_when_it_is_gone(
    server: PrivateServer, clients: Clients, capsys: pytest.CaptureFixture[str]
):
    clients.commands.hset(keys.SOURCES, "junk", "{")

    async def scene(registry: Registry, _clock: RedisClock, _notifications: Notifications) -> None:
        await registry.poll()
        await registry.poll()
        assert capsys.readouterr().out.count("values in redis ignored") == 1
        clients.commands.hdel(keys.SOURCES, "junk")
        await registry.poll()
        clients.commands.hset(keys.SOURCES, "junk", "{")
        await registry.poll()
        assert capsys.readouterr().out.count("values in redis ignored") == 1

    with_registry(server, scene)


def test_a_crops_key_of_another_type_affects_only_the_backlog_of_its_source(
    any_server: PrivateServer, any_clients: Clients
):
    announce(any_clients, "odd")
    announce(any_clients, "front", order=1)
    any_clients.commands.set(keys.crops("odd"), "no stream")
    any_clients.commands.xadd(keys.crops("front"), {"a": "b"})

    async def scene(registry: Registry, _clock: RedisClock, _notifications: Notifications) -> None:
        await registry.poll()
        await registry.poll()
        assert registry.reachable
        assert registry.backlog == {"front": 1}

    with_registry(any_server, scene)
