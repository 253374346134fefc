import asyncio
import time

from contract.redis.broker import connect_async
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease, Lease
from tests.inference import until


def test_only_one_process_holds_a_lease_and_the_other_acquires_it_after_its_release(any_clients):
    first, second = Lease(any_clients.commands, "saving"), Lease(any_clients.commands, "saving")
    assert first.acquire_or_renew()
    assert not second.acquire_or_renew()
    assert first.acquire_or_renew()

    first.release()

    assert second.acquire_or_renew()
    assert not first.acquire_or_renew()


def test_a_lease_expires_when_its_holder_does_not_renew_it(any_clients, monkeypatch):
    monkeypatch.setattr("contract.redis.lease.TTL_SECONDS", 0.2)
    silent, waiting = Lease(any_clients.commands, "saving"), Lease(any_clients.commands, "saving")
    assert silent.acquire_or_renew()

    until(waiting.acquire_or_renew)

    assert not silent.acquire_or_renew()
    silent.release()
    assert waiting.acquire_or_renew()


def test_leases_of_different_tasks_are_independent(clients):
    assert Lease(clients.commands, "source:a").acquire_or_renew()
    assert Lease(clients.commands, "source:b").acquire_or_renew()


def test_the_lease_for_asyncio_keeps_the_same_rules(server):
    async def both() -> None:
        clients = connect_async(server.url, "test")
        first, second = AsyncLease(clients.commands, "saving"), AsyncLease(clients.commands, "saving")
        assert await first.acquire_or_renew()
        assert not await second.acquire_or_renew()
        assert await first.acquire_or_renew()
        await first.release()
        assert await second.acquire_or_renew()
        assert not await first.acquire_or_renew()
        await clients.close()

    asyncio.run(both())


def test_the_clock_returns_the_time_of_redis(clients):
    clock = RedisClock()
    clock.refresh(clients.commands)
    seconds, microseconds = clients.commands.time()

    assert abs(clock.now_ms() - (seconds * 1000 + microseconds / 1000)) < 200
    assert abs(clock.now_ms() - time.time() * 1000) < 1000
