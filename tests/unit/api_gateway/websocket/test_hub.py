import asyncio
import json
from typing import Any

from api_gateway.websocket.channel import EncodedEvent, RateLimiter
from api_gateway.websocket.client import QUEUED_MESSAGES, Client, Message
from api_gateway.websocket.hub import HEARTBEAT_SECONDS, LONGEST_PAUSE_SECONDS, Hub, pause_seconds
from api_gateway.websocket.subscription import Subscription
from contract import events
from contract.redis.clock import RedisClock
from tests.stage import reading


def gone(source: str) -> events.Gone:
    return events.Gone(source=source)


def reading_event(source: str = "front", frame: int = 0, track: int = 1) -> events.Reading:
    return events.Reading.from_message(reading(source, frame, track), None, 10, stages=None)


async def ticked(hub: Hub) -> None:
    await asyncio.wait_for(hub.tick(), 2)


async def received(client: Client) -> list[dict[str, Any]]:
    return json.loads(await asyncio.wait_for(client.next(), 2))


def nothing_waits(client: Client) -> bool:
    waiting = client.next()
    try:
        waiting.send(None)
    except StopIteration:
        return False
    waiting.close()
    return True


def test_events_of_one_tick_are_sent_together_as_one_string_for_all_clients():
    async def scene() -> None:
        hub, first, second = Hub(RedisClock()), Client(), Client()
        hub.subscribe(first)
        hub.subscribe(second)
        hub.add(gone("a"))
        hub.add(gone("b"))
        await ticked(hub)
        message = await first.next()
        assert json.loads(message) == [{"kind": "gone", "source": "a"}, {"kind": "gone", "source": "b"}]
        assert await second.next() is message

    asyncio.run(scene())


def test_clients_with_equal_subscriptions_share_one_string_and_others_get_their_own():
    async def scene() -> None:
        hub, first, second, third = Hub(RedisClock()), Client(), Client(), Client()
        hub.subscribe(first, Subscription(sources=frozenset({"a", "b"})))
        hub.subscribe(second, Subscription(sources=frozenset({"b", "a"})))
        hub.subscribe(third, Subscription(sources=frozenset({"c"})))
        for source in ("a", "c", "d"):
            hub.add(reading_event(source))
        await ticked(hub)
        message = await first.next()
        assert [event["source"] for event in json.loads(message)] == ["a"]
        assert await second.next() is message
        assert [event["source"] for event in await received(third)] == ["c"]

    asyncio.run(scene())


def test_an_event_is_encoded_once_however_many_subscriptions_want_it():
    class Counted(events.Gone):
        def model_dump_json(self, **more: Any) -> str:
            encoded.append(self.source)
            return super().model_dump_json(**more)

    encoded: list[str] = []

    async def scene() -> None:
        hub = Hub(RedisClock())
        for number in range(5):
            hub.subscribe(Client(), Subscription(sources=frozenset({"a", f"other-{number}"})))
        hub.add(Counted(source="a"))
        hub.add(Counted(source="nobody-asked"))
        await ticked(hub)

    asyncio.run(scene())
    assert encoded == ["a"]


def test_a_client_that_replaces_its_subscription_receives_only_events_of_the_new_one():
    async def scene() -> None:
        hub, client = Hub(RedisClock()), Client()
        hub.subscribe(client, Subscription(sources=frozenset({"a"})))
        hub.subscribe(client, Subscription(sources=frozenset({"b"})))
        assert len(hub) == 1
        for source in ("a", "b"):
            hub.add(reading_event(source))
        await ticked(hub)
        assert [event["source"] for event in await received(client)] == ["b"]
        hub.leave(client)
        hub.leave(client)
        assert len(hub) == 0

    asyncio.run(scene())


def test_a_tick_in_which_nothing_of_a_subscription_happened_sends_nothing():
    async def scene() -> None:
        hub, client = Hub(RedisClock()), Client()
        hub.subscribe(client, Subscription(kinds=frozenset({"episode"})))
        hub.add(reading_event())
        await ticked(hub)
        assert nothing_waits(client)

    asyncio.run(scene())


def test_without_clients_nothing_is_kept():
    async def scene() -> None:
        hub, client = Hub(RedisClock()), Client()
        hub.add(gone("before"))
        hub.subscribe(client)
        hub.add(gone("after"))
        await ticked(hub)
        assert await received(client) == [{"kind": "gone", "source": "after"}]

    asyncio.run(scene())


def test_a_slow_client_loses_the_oldest_events_and_receives_their_number():
    async def scene() -> None:
        client = Client()
        for number in range(QUEUED_MESSAGES + 3):
            client.put(Message(f"[{number}]", 2))
        assert await received(client) == [{"kind": "missed", "count": 6}]
        assert await client.next() == "[3]"

    asyncio.run(scene())


def test_events_that_slow_clients_lose_are_counted_and_the_others_lose_nothing():
    async def scene() -> None:
        lost: list[int] = []
        hub, slow, quick = Hub(RedisClock(), lost.append), Client(), Client()
        hub.subscribe(slow)
        hub.subscribe(quick)
        for number in range(QUEUED_MESSAGES + 2):
            hub.add(gone(f"a{number}"))
            hub.add(gone(f"b{number}"))
            await ticked(hub)
            assert [event["source"] for event in await received(quick)] == [f"a{number}", f"b{number}"]
        assert lost == [2, 2]
        assert await received(slow) == [{"kind": "missed", "count": 4}]
        assert [event["source"] for event in await received(slow)] == ["a2", "b2"]

    asyncio.run(scene())


def test_a_client_without_messages_waits_for_one():
    async def scene() -> None:
        client = Client()
        waiting = asyncio.create_task(client.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        client.put(Message("[1]", 1))
        assert await asyncio.wait_for(waiting, 2) == "[1]"

    asyncio.run(scene())


def thinned(rate: float, seconds: float, every: float = 0.04) -> list[tuple[float, int, int]]:
    """When which frame of which track came through, of two tracks with a frame a tick."""
    pace, through = RateLimiter(rate), []
    for tick in range(round(seconds / every)):
        coming = [EncodedEvent(reading_event(frame=tick, track=track)) for track in (1, 2)]
        for one in pace.limit(coming, tick * every):
            assert isinstance(one.event, events.Reading)
            through.append((tick * every, one.event.frame, one.event.track))
    return through


def test_a_rate_is_kept_on_average_and_for_each_track():
    for rate in (0.5, 1, 5, 7, 15):
        for track in (1, 2):
            frames = [frame for _, frame, whose in thinned(rate, 20) if whose == track]
            assert 20 * rate - 1 <= len(frames) <= 20 * rate + 1


def test_a_rate_above_that_of_the_readings_drops_nothing():
    assert len(thinned(1000, 2)) == 100


def test_the_newest_of_the_readings_between_two_ticks_is_sent():
    pace = RateLimiter(1)
    assert pace.limit([EncodedEvent(reading_event(frame=0))], 0.0)
    assert pace.limit([EncodedEvent(reading_event(frame=1))], 0.3) == []
    assert pace.limit([EncodedEvent(reading_event(frame=2))], 0.6) == []
    (late,) = pace.limit([], 1.0)
    assert isinstance(late.event, events.Reading)
    assert late.event.frame == 2
    assert pace.limit([], 5.0) == []
    (after_a_pause,) = pace.limit([EncodedEvent(reading_event(frame=3))], 5.1)
    assert after_a_pause.event.source == "front"


def test_a_rate_limits_only_readings():
    pace = RateLimiter(0.1)
    coming = [EncodedEvent(gone("a")), EncodedEvent(reading_event(frame=1)), EncodedEvent(gone("b"))]
    assert [one.event.kind for one in pace.limit(coming, 0.0)] == ["gone", "gone", "reading"]
    assert [one.event.kind for one in pace.limit(coming, 0.1)] == ["gone", "gone"]


class Line:
    """The short way to a client, which can be busy."""

    def __init__(self) -> None:
        self.free = True
        self.frames: list[bytes] = []

    def push(self, frame: bytes) -> bool:
        if self.free:
            self.frames.append(frame)
        return self.free


async def waiting_for_more(client: Client) -> asyncio.Task[str]:
    waiting = asyncio.create_task(client.next())
    await asyncio.sleep(0)
    return waiting


def test_a_message_with_no_other_before_it_is_pushed_as_one_frame_that_all_clients_share():
    async def scene() -> None:
        hub, lines = Hub(RedisClock()), [Line(), Line()]
        for line in lines:
            hub.subscribe(client := Client(line.push))
            await waiting_for_more(client)
        hub.add(gone("a"))
        await ticked(hub)
        (first,), (second,) = lines[0].frames, lines[1].frames
        assert first is second
        assert first == b"\x81" + bytes([len(first) - 2]) + b'[{"kind":"gone","source":"a"}]'

    asyncio.run(scene())


def test_nothing_is_pushed_past_a_message_that_is_still_being_sent():
    async def scene() -> None:
        line = Line()
        client = Client(line.push)
        client.put(Message("[1]", 1))  # before the hello was sent
        assert line.frames == []
        assert await client.next() == "[1]"
        client.put(Message("[2]", 1))
        assert line.frames == []
        assert await client.next() == "[2]"
        waiting = await waiting_for_more(client)
        line.free = False
        client.put(Message("[3]", 1))
        line.free = True
        client.put(Message("[4]", 1))
        assert await asyncio.wait_for(waiting, 2) == "[3]"
        assert await client.next() == "[4]"
        await waiting_for_more(client)
        client.put(Message("[5]", 1))
        assert line.frames == [b"\x81\x03[5]"]

    asyncio.run(scene())


def test_the_batching_interval_grows_with_the_number_of_clients_up_to_a_limit():
    assert pause_seconds(1) < 0.001
    assert pause_seconds(1) < pause_seconds(50) < pause_seconds(200) == pause_seconds(1000) == LONGEST_PAUSE_SECONDS


def test_events_that_arrive_within_one_interval_are_sent_together():
    async def scene() -> None:
        hub, client = Hub(RedisClock()), Client()
        for _ in range(200):
            hub.subscribe(Client())
        hub.subscribe(client)
        hub.add(gone("a"))
        await ticked(hub)
        assert [event["source"] for event in await received(client)] == ["a"]
        hub.add(gone("b"))
        resting = asyncio.create_task(hub.tick())
        await asyncio.sleep(0)
        hub.add(gone("c"))
        await resting
        assert [event["source"] for event in await received(client)] == ["b", "c"]

    asyncio.run(scene())


def test_a_client_without_events_for_a_second_gets_a_heartbeat_that_counts_as_no_event():
    async def scene() -> None:
        now = [100.0]
        hub, quiet, busy = Hub(RedisClock(lambda: 0.005, lambda: 0.0), monotonic=lambda: now[0]), Client(), Client()
        hub.subscribe(quiet, Subscription(sources=frozenset({"b"})))
        hub.subscribe(busy)
        now[0] += HEARTBEAT_SECONDS * 0.9
        hub.add(gone("a"))
        await ticked(hub)
        assert [event["source"] for event in await received(busy)] == ["a"]
        now[0] += HEARTBEAT_SECONDS * 0.2
        await ticked(hub)
        assert nothing_waits(busy)
        assert await received(quiet) == [{"kind": "heartbeat", "now_ms": 5}]
        for _ in range(QUEUED_MESSAGES + 2):
            now[0] += HEARTBEAT_SECONDS
            await ticked(hub)
        assert (await received(quiet))[0]["kind"] == "heartbeat"  # not "missed"

    asyncio.run(scene())
