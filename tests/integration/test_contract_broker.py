"""Connections against real servers."""

import asyncio

from contract.redis.broker import connect_async
from emotii.local.redis_server import PrivateServer

STEPS = 30
"""Of the event loop: as many as a command takes, and more."""


def test_a_task_that_is_cancelled_while_it_sends_a_command_ends(server: PrivateServer):
    async def ends(steps: int) -> bool:
        clients = connect_async(server.url, "test")

        async def work() -> None:
            await clients.commands.ping()
            await asyncio.sleep(3600)

        await clients.commands.ping()
        task = asyncio.create_task(work())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        task.cancel()
        await clients.close()
        return bool(done)

    assert [steps for steps in range(STEPS) if not asyncio.run(ends(steps))] == []
