import asyncio
import json
from dataclasses import replace

from api_gateway import events
from api_gateway.hub import QUEUED_MESSAGES, Client, Hub
from contract.messages import Quality
from tests.stage import HAPPY, LABELS, UNSURE, reading


def test_a_reading_event_holds_what_the_page_needs():
    smoothed = dict(zip(LABELS, (0.1, 0.1, 0.6, 0.1, 0.1), strict=True))
    event = events.reading(reading(frame=7, track=3), smoothed, 42)
    assert event["kind"] == "reading"
    assert (event["source"], event["track"], event["frame"], event["face"], event["age_ms"]) == ("front", 3, 7, 0, 42)
    assert (event["emotion"], event["confidence"], event["between"], event["flaws"]) == ("happy", 60.0, (), ())
    assert event["probabilities"] == smoothed
    assert event["raw"] == dict(zip(LABELS, HAPPY, strict=True))
    assert event["box"] == [100.0, 60.0, 80.0, 90.0]
    assert set(event["quality"]) == {"brightness", "sharpness", "size", "turn", "inside"}
    json.dumps(event, allow_nan=False)


def test_an_uncertain_reading_names_the_two_emotions_that_it_may_be():
    event = events.reading(reading(probabilities=UNSURE), None, 10)
    assert (event["emotion"], event["between"], event["confidence"]) == ("uncertain", ("fear", "surprise"), 45.0)


def test_a_reading_of_a_bad_crop_says_what_is_wrong_with_it():
    one = reading()
    dark = replace(one, face=replace(one.face, quality=Quality(0.05, 0.5, 90.0, 0.1, 0.4)))
    assert events.reading(dark, None, 10)["flaws"] == ("too dark", "cut off")


def test_a_stale_reading_says_so_and_names_no_emotion():
    event = events.reading(replace(reading(), probabilities=()), None, 900)
    assert event["stale"] is True
    assert (event["emotion"], event["confidence"], event["probabilities"], event["raw"]) == (None, 0.0, {}, {})


def test_a_reading_behind_a_later_one_is_told_with_its_raw_probabilities():
    event = events.reading(reading(), None, 10)
    assert event["probabilities"] == event["raw"]
    assert event["emotion"] == "happy"


async def _ticked(hub: Hub) -> None:
    await asyncio.wait_for(hub.tick(), 2)


def test_events_of_one_tick_travel_together_as_one_string_for_all():
    async def scene() -> None:
        hub, first, second = Hub(), Client(), Client()
        hub.clients |= {first, second}
        hub.add({"kind": "a"})
        hub.add({"kind": "b"})
        await _ticked(hub)
        message = await first.next()
        assert json.loads(message) == [{"kind": "a"}, {"kind": "b"}]
        assert await second.next() is message

    asyncio.run(scene())


def test_without_clients_nothing_is_kept():
    async def scene() -> None:
        hub = Hub()
        hub.add({"kind": "before"})
        client = Client()
        hub.clients.add(client)
        hub.add({"kind": "after"})
        await _ticked(hub)
        assert json.loads(await client.next()) == [{"kind": "after"}]

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
