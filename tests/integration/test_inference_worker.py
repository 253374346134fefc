"""Workers on threads of the test process, against both servers if the server matters."""

import json
import time

import pytest

from contract import keys
from contract.messages import FrameDone, Manifest, Reading, WorkerStatus
from contract.messages.face import FrameId
from contract.redis.clock import RedisClock
from inference_service.poison import EngineBroken
from inference_service.sources import Sources
from tests.inference import (
    GROUP,
    RAISES,
    ObedientEngine,
    add,
    announce,
    crop,
    dead,
    frame_done,
    frames,
    pending,
    results,
    until,
    until_outcomes,
    work_here,
    working,
)


def test_every_crop_gets_one_reading_and_forwarded_entries_keep_their_place(any_server, any_clients):
    client = any_clients.commands
    entries = [crop("clip", 0, index=0), crop("clip", 0, index=1), frame_done("clip", 0, 2), frame_done("clip", 1, 0)]
    manifest = Manifest(FrameId("clip", "e1", 2), 2)
    add(client, "clip", *entries, manifest)

    with working(any_server.url):
        until_outcomes(client, "clip", 5)

    first, second, *forwarded = results(client, "clip")
    assert [first.face.index, second.face.index] == [0, 1]
    assert forwarded == [entries[2], entries[3], manifest]
    assert (first.model, first.captured_ms, len(first.probabilities)) == ("obedient@1.0.0", 1000, 5)
    assert first.read_ms <= first.done_ms
    assert client.xlen(keys.crops("clip")) == 0


@pytest.fixture(autouse=True)
def short_reads(monkeypatch):
    """A worker checks `stop` only after each blocking read, for which many tests wait."""
    monkeypatch.setattr("inference_service.crops.BLOCK_MS", 50)


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_one_reading_a_crop(any_server, any_clients, workers):
    client = any_clients.commands
    add(client, "a", *[crop("a", frame) for frame in range(300)])
    add(client, "b", *[crop("b", frame) for frame in range(300)])

    running = [working(any_server.url, ObedientEngine(0.002)) for _ in range(workers)]
    for one in running:
        one.__enter__()
    until_outcomes(client, "a", 300)
    until_outcomes(client, "b", 300)
    for one in running:
        one.__exit__(None, None, None)

    for source in "ab":
        outcomes = results(client, source)
        assert sorted(frames(outcomes)) == list(range(300))
        assert len({one.worker for one in outcomes}) == workers
    assert client.hgetall(keys.WORKERS) == {}
    assert client.xinfo_consumers(keys.crops("a"), GROUP) == []


def test_a_live_crop_past_its_deadline_is_reported_as_stale_without_inference(any_server, any_clients):
    client, engine = any_clients.commands, ObedientEngine()
    now = client.time()[0] * 1000
    announce(client, "cam", "camera")
    late = crop("cam", 0, captured_ms=now - 2000, deadline_ms=now - 1000)
    fresh = crop("cam", 1, captured_ms=now, deadline_ms=now + 60_000)
    add(client, "cam", late, frame_done("cam", 0), fresh, register=False)

    with working(any_server.url, engine):
        until_outcomes(client, "cam", 3)

    stale, done, read = results(client, "cam")
    assert stale.stale
    assert isinstance(done, FrameDone)
    assert not read.stale
    assert sum(engine.batches) == 1


def test_results_of_a_job_are_kept_whole_and_those_of_a_camera_are_trimmed(server, clients):
    client = clients.commands
    for source, kind in (("clip", "job"), ("cam", "camera")):
        announce(client, source, kind)
        add(client, source, *[frame_done(source, frame) for frame in range(600)], register=False)

    with working(server.url, live_keep=100):
        until(lambda: client.xlen(keys.crops("clip")) == client.xlen(keys.crops("cam")) == 0)

    assert client.xlen(keys.results("clip")) == 600
    assert client.xlen(keys.results("cam")) < 300


GOOD = crop("cam", 7).fields()
MALFORMED = {
    "pixels: 0 bytes": {**GOOD, b"pixels": b""},
    "pixels: 2305 bytes": {**GOOD, b"pixels": bytes(2305)},
    "pixels: 1000000 bytes": {**GOOD, b"pixels": bytes(1_000_000)},
    "pixels: the crc32": {**GOOD, b"crc32": b"1"},
    "v: b'2'": {**GOOD, b"v": b"2"},
    "kind:": {**GOOD, b"kind": b"surprise"},
    "box: width": {**GOOD, b"box": b"1,2,-3,4"},
    "box: not 4": {**GOOD, b"box": b"nan,2,3,4"},
    "captured_ms:": {**GOOD, b"captured_ms": b"%d" % 2**63},
    "source: not UTF-8": {**GOOD, b"source": b"\xff\xfe"},
    "source: not a source's": {**GOOD, b"source": b"}{"},
    "source: not the one": {**GOOD, b"source": b"another"},
    "v: missing": {b"%d" % number: b"x" * 1000 for number in range(10_000)},
}


def test_malformed_entries_are_dead_lettered_with_their_reason_and_affect_no_other(any_server, any_clients):
    client = any_clients.commands
    announce(client, "cam", "camera")
    ids = add(client, "cam", crop("cam", 1), *MALFORMED.values(), crop("cam", 2), register=False)

    with working(any_server.url):
        until_outcomes(client, "cam", len(ids))

    letters = dead(client, "cam")
    assert [one.entry.encode() for one in letters] == ids[1:-1]
    for one, reason in zip(letters, MALFORMED, strict=True):
        assert one.reason.startswith(reason)
        assert b"pixels" not in one.original
    assert frames(results(client, "cam")) == [1, 2]


def test_a_stream_that_is_deleted_while_its_crops_are_classified_is_created_again(any_server, any_clients):
    client = any_clients.commands
    add(client, "cam", crop("cam", 0))

    class Deleting(ObedientEngine):
        def classify(self, pixels):
            client.delete(keys.crops("cam"))
            return super().classify(pixels)

    with working(any_server.url, Deleting()):
        until(lambda: not client.exists(keys.crops("cam")))
        add(client, "cam", frame_done("cam", 1))
        until_outcomes(client, "cam", 1)

    assert frames(results(client, "cam")) == [1]


def test_one_poison_crop_in_a_batch_is_the_only_one_that_is_dead_lettered(any_server, any_clients):
    client = any_clients.commands
    add(client, "clip", *[crop("clip", frame, mark=RAISES if frame == 17 else b"") for frame in range(32)])

    with working(any_server.url):
        until_outcomes(client, "clip", 32)

    assert sorted(frames(results(client, "clip"))) == [frame for frame in range(32) if frame != 17]
    (letter,) = dead(client, "clip")
    assert (letter.reason, letter.crop_id) == ("failure on request", "clip:e1:17:0")


def test_a_batch_of_poison_alone_is_dead_lettered_if_the_engine_works(server, clients):
    client = clients.commands
    add(client, "clip", *[crop("clip", frame, mark=RAISES) for frame in range(5)])

    with working(server.url):
        until_outcomes(client, "clip", 5)

    assert len(dead(client, "clip")) == 5


def test_a_broken_engine_ends_the_worker_and_rejects_no_crop(server, clients):
    client, engine = clients.commands, ObedientEngine()
    engine.broken = True
    add(client, "clip", *[crop("clip", frame) for frame in range(5)])

    with pytest.raises(EngineBroken, match="failure on request"):
        work_here(server.url, engine)
    with working(server.url):
        until_outcomes(client, "clip", 5)

    assert frames(results(client, "clip")) == list(range(5))


def test_quarantined_crops_of_a_worker_whose_engine_broke_are_not_dead_lettered_by_the_next(server, clients):
    client, engine = clients.commands, ObedientEngine()
    add(client, "clip", *[crop("clip", frame) for frame in range(3)])
    client.xgroup_create(keys.crops("clip"), GROUP, id="0")
    client.xreadgroup(GROUP, "gone", {keys.crops("clip"): ">"})
    client.xautoclaim(keys.crops("clip"), GROUP, "gone-too", 0)
    until(lambda: client.xpending_range(keys.crops("clip"), GROUP, "-", "+", 1)[0]["time_since_delivered"] > 300)
    engine.broken = True
    with pytest.raises(EngineBroken):
        work_here(server.url, engine)
    assert client.scard(keys.quarantined("clip")) == 0

    with working(server.url):
        until_outcomes(client, "clip", 3)

    assert dead(client, "clip") == []


def test_a_crop_that_ran_alone_when_its_worker_stopped_answering_is_dead_lettered_without_running(server, clients):
    client, engine = clients.commands, ObedientEngine()
    culprit, _ = add(client, "clip", crop("clip", 0), crop("clip", 1))
    client.xgroup_create(keys.crops("clip"), GROUP, id="0")
    client.xreadgroup(GROUP, "gone", {keys.crops("clip"): ">"})
    client.xautoclaim(keys.crops("clip"), GROUP, "gone-too", 0)
    client.sadd(keys.quarantined("clip"), culprit)

    with working(server.url, engine):
        until_outcomes(client, "clip", 2)

    assert [one.entry.encode() for one in dead(client, "clip")] == [culprit]
    assert frames(results(client, "clip")) == [1]
    assert engine.batches == [1]
    assert client.scard(keys.quarantined("clip")) == 0


def test_deliveries_that_redis_counted_for_a_live_worker_dead_letter_nothing(server, clients):
    client = clients.commands
    (entry,) = add(client, "clip", crop("clip", 0))
    client.xgroup_create(keys.crops("clip"), GROUP, id="0")
    client.xreadgroup(GROUP, "gone", {keys.crops("clip"): ">"})
    for _ in range(20):
        client.xreadgroup(GROUP, "gone", {keys.crops("clip"): "0"})

    with working(server.url):
        until_outcomes(client, "clip", 1)

    assert frames(results(client, "clip")) == [0]
    assert entry.decode() not in {one.entry for one in dead(client, "clip")}


def test_a_flush_loses_what_was_in_redis_and_nothing_after_it(any_server, any_clients):
    client = any_clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(50)])

    with working(any_server.url):
        until_outcomes(client, "clip", 50)
        for turn in range(3):
            client.flushall()
            add(client, "clip", *[crop("clip", 1000 + turn * 10 + number) for number in range(10)])
            until_outcomes(client, "clip", 10)
            assert sorted(frames(results(client, "clip"))) == [1000 + turn * 10 + number for number in range(10)]


def test_a_crops_key_of_another_type_does_not_stop_the_other_sources(any_server, any_clients):
    client = any_clients.commands
    client.set(keys.crops("odd"), "not a stream")
    announce(client, "odd")
    add(client, "clip", crop("clip", 0))

    with working(any_server.url):
        until_outcomes(client, "clip", 1)


def test_a_results_key_of_another_type_does_not_stop_the_other_sources_and_loses_nothing(server, clients):
    client = clients.commands
    client.set(keys.results("odd"), "not a stream")
    add(client, "odd", crop("odd", 0))
    add(client, "clip", crop("clip", 0))

    with working(server.url):
        until_outcomes(client, "clip", 1)
        until(lambda: pending(client, "odd") == 1)
        client.delete(keys.results("odd"))
        until_outcomes(client, "odd", 1)


def test_a_malformed_registry_entry_is_ignored(server, clients):
    client = clients.commands
    client.hset(keys.SOURCES, mapping={"odd": "{", "}{": "x", "newer": json.dumps({"v": 2})})
    add(client, "clip", crop("clip", 0))

    with working(server.url):
        until_outcomes(client, "clip", 1)

    assert not client.exists(keys.crops("odd"))


def test_remaining_crops_of_a_source_are_read_after_its_capture_has_ended(server, clients):
    client = clients.commands
    add(client, "clip", crop("clip", 0))
    announce(client, "clip", age_ms=60_000)
    announce(client, "empty", age_ms=60_000)

    with working(server.url):
        until_outcomes(client, "clip", 1)

    assert not client.exists(keys.crops("empty"))


@pytest.mark.parametrize("kind", ["job", "camera", "inbox"])
def test_a_source_that_is_not_renewed_is_removed_once_its_crops_are_done(server, clients, kind):
    client = clients.commands
    add(client, "gone", crop("gone", 0), register=False)
    announce(client, "gone", kind, age_ms=70_000)
    announce(client, "frozen", kind, age_ms=30_000)
    announce(client, "here", kind)

    with working(server.url):
        until_outcomes(client, "gone", 1)
        until(lambda: not client.hexists(keys.SOURCES, "gone"))
        assert set(client.hkeys(keys.SOURCES)) == {b"frozen", b"here"}
        assert (client.ttl(keys.results("gone")) > 0) == (kind == "job")


def test_a_source_that_was_renewed_at_the_last_moment_stays(server, clients):
    class Late:
        """Redis's client, but the source is renewed right after the registry was read."""

        def __init__(self, client):
            self._client = client

        def __getattr__(self, name):
            return getattr(self._client, name)

        def hgetall(self, key):
            found = self._client.hgetall(key)
            announce(self._client, "frozen")
            return found

    announce(clients.commands, "frozen", age_ms=70_000)
    Sources(Late(clients.commands), RedisClock()).refresh()
    assert clients.commands.hexists(keys.SOURCES, "frozen")
    announce(clients.commands, "frozen", age_ms=70_000)
    Sources(clients.commands, RedisClock()).refresh()
    assert not clients.commands.hexists(keys.SOURCES, "frozen")


def test_with_redis_out_of_memory_workers_drain_without_an_operator(any_server, any_clients):
    client = any_clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(200)])
    client.xgroup_create(keys.crops("clip"), GROUP, id="0")
    client.xreadgroup(GROUP, "gone", {keys.crops("clip"): ">"}, count=20)
    client.config_set("maxmemory", 1)

    with working(any_server.url, ObedientEngine(0.01)):
        until_outcomes(client, "clip", 200)
        assert len(client.hgetall(keys.WORKERS)) == 1

    assert sorted(frames(results(client, "clip"))) == list(range(200))


def test_consumers_of_dead_workers_are_removed_and_those_with_crops_only_after_these_were_claimed(server, clients):
    client = clients.commands
    add(client, "clip", crop("clip", 0))
    client.xgroup_create(keys.crops("clip"), GROUP, id="0")
    client.xreadgroup(GROUP, "holds-one", {keys.crops("clip"): ">"})
    for number in range(5):
        client.xgroup_createconsumer(keys.crops("clip"), GROUP, f"empty-{number}")
    assert len(client.xinfo_consumers(keys.crops("clip"), GROUP)) == 6

    with working(server.url):
        until(lambda: len(client.xinfo_consumers(keys.crops("clip"), GROUP)) == 1)
        assert frames(results(client, "clip")) == [0]


def test_a_worker_sends_a_heartbeat_about_once_a_second(server, clients):
    client = clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(3)])

    def statuses():
        return [WorkerStatus.model_validate_json(value) for value in client.hvals(keys.WORKERS)]

    with working(server.url):
        until(statuses)
        (first,) = statuses()
        until(lambda: statuses()[0].seen_ms > first.seen_ms and statuses()[0].crops == 3)
    assert statuses() == []


def test_busy_cameras_and_a_job_share_the_workers(server, clients):
    client = clients.commands
    for source, kind in (("cam-1", "camera"), ("cam-2", "camera"), ("clip", "job")):
        announce(client, source, kind)
        add(client, source, *[crop(source, frame) for frame in range(400)], register=False)

    engine = ObedientEngine(0.005)
    with working(server.url, engine):
        until_outcomes(client, "clip", 100)
        shares = {source: client.xlen(keys.results(source)) for source in ("cam-1", "cam-2", "clip")}
        until(lambda: not any(client.xlen(keys.crops(source)) for source in shares))

    assert min(shares.values()) > 50
    assert max(shares.values()) < 4 * min(shares.values())
    assert max(engine.batches) <= 32


def test_a_single_crop_does_not_wait_for_a_fuller_batch(server, clients):
    client = clients.commands
    announce(client, "cam", "camera")
    with working(server.url):
        until(lambda: client.exists(keys.crops("cam")))
        started = time.monotonic()
        add(client, "cam", crop("cam", 0), register=False)
        until_outcomes(client, "cam", 1)
    assert time.monotonic() - started < 1.5
    assert isinstance(results(client, "cam")[0], Reading)
