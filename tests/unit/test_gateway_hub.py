import asyncio
import json

from api_gateway import events
from api_gateway.hub import QUEUED_MESSAGES, Client, Hub


async def _ticked(hub: Hub) -> None:
    await asyncio.wait_for(hub.tick(), 2)


def test_events_of_one_tick_travel_together_as_one_string_for_all():
    async def scene() -> None:
        hub, first, second = Hub(), Client(), Client()
        hub.clients |= {first, second}
        hub.add(events.Gone(source="a"))
        hub.add(events.Gone(source="b"))
        await _ticked(hub)
        message = await first.next()
        assert json.loads(message) == [{"kind": "gone", "source": "a"}, {"kind": "gone", "source": "b"}]
        assert await second.next() is message

    asyncio.run(scene())


def test_without_clients_nothing_is_kept():
    async def scene() -> None:
        hub = Hub()
        hub.add(events.Gone(source="before"))
        client = Client()
        hub.clients.add(client)
        hub.add(events.Gone(source="after"))
        await _ticked(hub)
        assert json.loads(await client.next()) == [{"kind": "gone", "source": "after"}]

    asyncio.run(scene())


def test_a_slow_client_loses_the_oldest_and_is_told_how_many_events_that_were():
    async def scene() -> None:
        client = Client()
        for number in range(QUEUED_MESSAGES + 3):
            client.put(f"[{number}]", 2)
        assert json.loads(await client.next()) == [{"kind": "missed", "count": 6}]
        assert await client.next() == "[3]"

    asyncio.run(scene())


def test_a_client_without_messages_waits_for_one():
    async def scene() -> None:
        client = Client()
        waiting = asyncio.create_task(client.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        client.put("[1]", 1)
        assert await asyncio.wait_for(waiting, 2) == "[1]"

    asyncio.run(scene())
