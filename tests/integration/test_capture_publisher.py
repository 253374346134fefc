import os
import signal
from functools import partial
from threading import Event

import pytest

from capture_service.publishing.crops import Batch, CropPublisher
from contract import keys
from contract.errors import BrokerUnavailable
from contract.messages import Crop, Face, FrameDone, FrameId, Quality
from contract.redis.clock import RedisClock
from contract.redis.outage import OutageLog, retry_until_stored
from tests.capture import until

QUALITY = Quality(0.5, 0.5, 60, 0, 1)


def frame(number, faces=2):
    name = FrameId("cam", "e1", number)
    crops = [Crop(name, Face(at, at, (0, 0, 9, 9), 1.0, QUALITY), 1, 2, bytes(2304)) for at in range(faces)]
    return Batch([*crops, FrameDone(name, 1, faces, 640, 480)])


def ids(client):
    return [entry.decode() for entry, _ in client.xrange(keys.crops("cam"))]


def kill(server):
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: server.pid is None)


@pytest.fixture
def publisher(any_clients):
    return CropPublisher(any_clients.commands, "cam", RedisClock())


def test_the_entries_of_a_frame_share_a_time_and_end_with_frame_done(publisher, any_clients):
    publisher.send(frame(0))
    publisher.send(frame(1, faces=0))

    first, second = ([entry.split("-") for entry in ids(any_clients.commands)][at : at + 3] for at in (0, 3))
    assert [number for _, number in first] == ["0", "1", "2"]
    assert len({ms for ms, _ in first}) == 1
    assert [number for _, number in second] == ["0"]
    assert int(second[0][0]) > int(first[0][0])
    seconds, _ = any_clients.commands.time()
    assert abs(int(first[0][0]) / 1000 - seconds) < 30


def test_a_batch_that_is_sent_again_is_stored_once(publisher, any_clients):
    batch = frame(0)
    for _ in range(3):
        publisher.send(batch)
    assert len(ids(any_clients.commands)) == 3


def test_a_batch_that_was_stored_and_processed_is_not_stored_again(publisher, any_clients):
    batch = frame(0)
    publisher.send(batch)
    any_clients.commands.xtrim(keys.crops("cam"), maxlen=0, approximate=False)
    publisher.send(batch)
    assert ids(any_clients.commands) == []


def test_a_reply_that_only_the_client_repeated_is_stored_once(publisher, any_clients):
    """redis-py itself sends a transaction again when its reply is lost: the first call sees "equal or smaller"."""
    batch = frame(0)
    publisher.send(batch)
    again = Batch(batch.entries, batch.ms)
    publisher._settle(again, again=False)
    assert len(ids(any_clients.commands)) == 3


def test_a_new_publisher_uses_ids_above_those_of_another_with_a_fast_clock(any_clients):
    ahead = 9_999_999_999_999
    any_clients.commands.xadd(keys.crops("cam"), {"x": "y"}, id=f"{ahead}-0")
    CropPublisher(any_clients.commands, "cam", RedisClock()).send(frame(0, faces=0))
    assert ids(any_clients.commands)[-1] == f"{ahead + 1}-0"


def test_a_publisher_uses_ids_above_those_that_another_wrote_meanwhile(publisher, any_clients):
    publisher.send(frame(0, faces=0))
    ahead = 9_999_999_999_999
    any_clients.commands.xadd(keys.crops("cam"), {"x": "y"}, id=f"{ahead}-0")
    publisher.send(frame(1))
    assert ids(any_clients.commands)[-3:] == [f"{ahead + 1}-{number}" for number in range(3)]


def test_a_batch_that_was_sent_before_a_crash_of_redis_is_stored_once(any_server, any_clients, publisher):
    batch, lost = frame(0), frame(1)
    publisher.send(batch)
    kill(any_server)
    with pytest.raises(BrokerUnavailable):
        publisher.send(lost)
    any_server.start()
    for again in (batch, lost, lost):
        assert retry_until_stored(partial(publisher.send, again), Event(), OutageLog())
    assert len(ids(any_clients.commands)) == 6


def test_sending_until_stored_ends_when_stopped(any_server, any_clients):
    publisher = CropPublisher(any_clients.commands, "cam", RedisClock())
    any_server.stop()
    stop = Event()
    stop.set()
    assert not retry_until_stored(lambda: publisher.send(frame(0)), stop, OutageLog())
