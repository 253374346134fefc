"""Malformed entries and keys in the streams of a source: dead-lettered with a reason, or skipped until repaired.

Each entry of the table stands between two good crops, which must be classified in every case.
"""

import pickle
import zlib

import pytest
import redis

from contract import keys
from contract.redis.broker import Clients
from emotii.local.redis_server import PrivateServer
from tests.inference import (
    GROUP,
    ObedientEngine,
    add,
    announce,
    crop,
    dead,
    frame_done,
    frames,
    results,
    until,
    until_outcomes,
    working,
)
from tests.replying import Replying


@pytest.fixture(autouse=True)
def short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker checks `stop` after each blocking read."""
    monkeypatch.setattr("inference_service.crops.BLOCK_MS", 50)


GOOD = crop("cam", 7).fields()


def with_pixels(pixels: bytes) -> dict[bytes, bytes]:
    return {**GOOD, b"pixels": pixels, b"crc32": b"%d" % zlib.crc32(pixels)}


def without(name: bytes) -> dict[bytes, bytes]:
    return {one: value for one, value in GOOD.items() if one != name}


NUMBER = "not a whole number of at most 18 digits"
BURIED = {
    "pixels of 0 bytes": (with_pixels(b""), "pixels: 0 bytes, not 2304"),
    "pixels of 2303 bytes": (with_pixels(bytes(2303)), "pixels: 2303 bytes, not 2304"),
    "pixels of 2305 bytes": (with_pixels(bytes(2305)), "pixels: 2305 bytes, not 2304"),
    "pixels of 64 MB": (with_pixels(bytes(64_000_000)), "pixels: 64000000 bytes, not 2304"),
    "wrong crc": ({**GOOD, b"crc32": b"1"}, "pixels: the crc32 is another"),
    "other pixels than the crc's": ({**GOOD, b"pixels": bytes(2304)}, "pixels: the crc32 is another"),
    "pickled pixels": (with_pixels(pickle.dumps([0] * 48)), f"pixels: {len(pickle.dumps([0] * 48))} bytes, not 2304"),
    "pickle alone": ({b"data": pickle.dumps({"v": 1})}, "v: missing"),
    **{f"no {name.decode()}": (without(name), f"{name.decode()}: missing") for name in GOOD},
    **{
        f"version {version!r}": ({**GOOD, b"v": version}, f"v: {version!r}, this release reads b'1'")
        for version in (b"2", b"-1", b"abc", b"", b"1 ", b"\xff")
    },
    "unknown kind": ({**GOOD, b"kind": b"surprise"}, "kind: not crop, frame or manifest"),
    "a reading among crops": ({**GOOD, b"kind": b"reading"}, "kind: not crop, frame or manifest"),
    "source that is not UTF-8": ({**GOOD, b"source": b"\xff\xfe"}, "source: not UTF-8"),
    "source with NUL": ({**GOOD, b"source": b"cam\0"}, "source: not a source's name"),
    "source }{": ({**GOOD, b"source": b"}{"}, "source: not a source's name"),
    "source of 33 characters": ({**GOOD, b"source": b"x" * 33}, "source: not a source's name"),
    "another source": ({**GOOD, b"source": b"door"}, "source: not the one whose stream this is"),
    "epoch with a path": ({**GOOD, b"epoch": b"../.."}, "epoch: not 1 to 32 of a-z, 0-9, _ and -"),
    "time 2^63": ({**GOOD, b"captured_ms": b"%d" % 2**63}, f"captured_ms: {NUMBER}"),
    "time 9999999999999999": ({**GOOD, b"captured_ms": b"9" * 16}, "captured_ms: not a time in milliseconds"),
    "negative time": ({**GOOD, b"deadline_ms": b"-1"}, f"deadline_ms: {NUMBER}"),
    "time NaN": ({**GOOD, b"captured_ms": b"NaN"}, f"captured_ms: {NUMBER}"),
    "box NaN": ({**GOOD, b"box": b"nan,1,2,3"}, "box: not 4 finite numbers"),
    "box infinite": ({**GOOD, b"box": b"1,2,inf,3"}, "box: not 4 finite numbers"),
    "negative box": ({**GOOD, b"box": b"1,2,-3,4"}, "box: width and height must be above 0"),
    "box of three": ({**GOOD, b"box": b"1,2,3"}, "box: not 4 finite numbers"),
    "quality NaN": ({**GOOD, b"quality": b"nan,1,1,1,1"}, "quality: not 5 finite numbers"),
    "ten thousand fields": ({b"%d" % number: b"x" * 100 for number in range(10_000)}, "v: missing"),
    "good, and ten thousand fields more": ({**{b"%d" % n: b"x" for n in range(10_000)}, **GOOD, b"v": b"3"}, "v: b'3'"),
    "a manifest without a count": (
        {b"v": b"1", b"kind": b"manifest", b"source": b"cam", b"epoch": b"e", b"frame": b"1"},
        "crops: missing",
    ),
    "a frame with a count of faces below 0": ({**frame_done("cam", 1).fields(), b"faces": b"-1"}, f"faces: {NUMBER}"),
}


def test_every_malformed_entry_between_two_valid_ones_is_dead_lettered_with_its_reason(
    any_server: PrivateServer, any_clients: Clients
):
    client = any_clients.commands
    announce(client, "cam", "camera")
    expected = {}
    with working(any_server.url):
        for number, (fields, reason) in enumerate(BURIED.values()):
            _before, entry, _after = add(
                client,
                "cam",
                crop("cam", 2 * number),
                fields,
                crop("cam", 2 * number + 1),
                register=False,
            )
            expected[entry.decode()] = reason
            until_outcomes(client, "cam", 3 * (number + 1), 60)
    reasons = {one.entry: one.reason for one in dead(client, "cam")}
    assert reasons.keys() == expected.keys()
    for entry, reason in expected.items():
        assert reasons[entry].startswith(reason)
    assert sorted(frames(results(client, "cam"))) == list(range(2 * len(BURIED)))
    assert sum(len(str(one.original)) for one in dead(client, "cam")) < 2_000_000, "nothing monstrous is kept"


ACCEPTED = {
    "time 0": {b"captured_ms": b"0"},
    "the year 2100": {b"captured_ms": b"4102444800000"},
    "unknown fields": {b"colour": b"red", b"\xff": b"\0"},
    "a box off the frame": {b"box": b"-5000,-5000,10,10"},
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_unusual_but_complete_entries_are_classified(
    server: PrivateServer, clients: Clients, change: dict[bytes, bytes]
):
    add(clients.commands, "cam", {**GOOD, **change})
    with working(server.url):
        until_outcomes(clients.commands, "cam", 1)
    assert frames(results(clients.commands, "cam")) == [7]


def test_the_last_of_two_fields_with_the_same_name_counts(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    announce(client, "cam")
    twice = [part for pair in GOOD.items() for part in pair]
    client.execute_command("XADD", keys.crops("cam"), "*", "v", "2", "pixels", "x", *twice)
    client.execute_command("XADD", keys.crops("cam"), "*", *twice, "v", "2")
    with working(any_server.url):
        until_outcomes(client, "cam", 2)
    assert frames(results(client, "cam")) == [7]
    assert [one.reason for one in dead(client, "cam")] == ["v: b'2', this release reads b'1'"]


def test_a_crop_that_is_sent_again_with_other_pixels_gets_a_second_reading(server: PrivateServer, clients: Clients):
    """Its stream id differs, so it has an outcome; readers drop it, since its crop id is the same."""
    add(clients.commands, "cam", GOOD, with_pixels(bytes(2304)))
    with working(server.url):
        until_outcomes(clients.commands, "cam", 2)
    assert len({one.crop_id for one in results(clients.commands, "cam")}) == 1


def test_an_entry_with_the_greatest_possible_id_gets_an_outcome(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    announce(client, "cam")
    client.xadd(keys.crops("cam"), GOOD, id=f"{2**64 - 1}-{2**64 - 1}")
    with working(any_server.url):
        until_outcomes(client, "cam", 1)
        with pytest.raises(redis.exceptions.ResponseError):
            client.xadd(keys.crops("cam"), GOOD)  # the stream is at its end
        client.delete(keys.crops("cam"))
        add(client, "cam", crop("cam", 8))
        until_outcomes(client, "cam", 2)
    assert [one.stored_ms is None for one in results(client, "cam")] == [True, False]


@pytest.mark.parametrize(
    ("name", "kind"),
    [(keys.crops, "string"), (keys.results, "hash"), (keys.dead, "list"), (keys.quarantined, "string")],
)
def test_a_key_of_another_type_delays_only_its_own_source_until_it_is_repaired(
    server: PrivateServer, clients: Clients, name, kind: str
):
    client = clients.commands
    key = name("odd")
    {
        "string": lambda: client.set(key, "x"),
        "hash": lambda: client.hset(key, "a", "b"),
        "list": lambda: client.rpush(key, "a"),
    }[kind]()
    announce(client, "odd")
    if name is not keys.crops:
        add(client, "odd", crop("odd", 0), {b"v": b"2"})
    add(client, "cam", crop("cam", 0))
    with working(server.url):
        until_outcomes(client, "cam", 1)
        client.delete(key)
        if name is keys.crops:
            add(client, "odd", crop("odd", 0), {b"v": b"2"})
        until(lambda: client.xlen(keys.results("odd")) == client.xlen(keys.dead("odd")) == 1)


def test_a_stream_that_is_deleted_while_it_is_read_is_created_again(any_server: PrivateServer, any_clients: Clients):
    client = any_clients.commands
    with working(any_server.url, ObedientEngine(0.01)):
        for turn in range(10):
            add(client, "cam", *[crop("cam", 100 * turn + number) for number in range(20)])
            client.delete(keys.crops("cam"))
            add(client, "cam", frame_done("cam", 10_000 + turn))
            until(lambda turn=turn: 10_000 + turn in frames(results(client, "cam")))
    found = frames(results(client, "cam"))
    assert len(found) == len(set(found))


REPLIES = {
    "LOADING": b"-LOADING Redis is loading the dataset in memory\r\n",
    "READONLY": b"-READONLY You can't write against a read only replica.\r\n",
    "MOVED": b"-MOVED 3999 127.0.0.1:1\r\n",
    "MASTERDOWN": b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
    "MISCONF": b"-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.\r\n",
    "CLUSTERDOWN": b"-CLUSTERDOWN The cluster is down\r\n",
    "wrong password": b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    "no password": b"-NOAUTH Authentication required.\r\n",
    "no permission": b"-NOPERM this user has no permissions to run the 'xreadgroup' command\r\n",
    "no RESP at all": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a reply without end": b"$9999999\r\nx",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_worker_waits_while_redis_returns_an_error_and_loses_nothing(
    server: PrivateServer, clients: Clients, reply: bytes
):
    client = clients.commands
    add(client, "cam", *[crop("cam", number) for number in range(20)])
    with Replying(server, reply) as between, working(between.url, ObedientEngine(0.005), batch=4):
        until(lambda: client.xlen(keys.results("cam")) >= 4)
        between.broken.set()
        until(lambda: between.answered >= 4, 30)
        between.broken.clear()
        add(client, "cam", *[crop("cam", number) for number in range(20, 30)])
        until_outcomes(client, "cam", 30, 40)
    assert sorted(frames(results(client, "cam"))) == list(range(30))
    assert client.xpending(keys.crops("cam"), GROUP)["pending"] == 0
