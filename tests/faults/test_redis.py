"""Rows 7 to 12: a Redis that dies, forgets, freezes, is full or badly connected, and what is sent again."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from redis.exceptions import ResponseError

from capture_service.publishing.crops import Batch, CropPublisher
from contract import keys
from contract.redis.broker import connect
from contract.redis.clock import RedisClock
from emotii.local.redis_server import PrivateServer
from tests.faults.crew import Crew
from tests.faults.ledger import Ledger
from tests.faults.load import FACES, Load, crop_id
from tests.faults.power import PowerCut
from tests.faults.proxy import Proxy
from tests.faults.waiting import until
from tests.inference import GROUP, add, announce, crop, pending

FROZEN_SECONDS = 6.0
"""Longer than every time-out of a client, and than the claim."""


def analysed(server, folder, name, disturb=lambda _running: None):
    """Rows of the table of `emotii analyze demo`: how often each face of each frame is there."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("EMOTII_")}
    command = [sys.executable, "-m", "emotii", "analyze", "demo", "--csv", f"{name}.csv", "--passes", "2"]
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, cwd=folder, env=clean | {"EMOTII_REDIS_URL": server.url}, stdout=output, stderr=output
        )
    try:
        disturb(running)
        assert running.wait(100) == 0, log.read_text()
    finally:
        running.kill()
        running.wait()
    with (folder / f"{name}.csv").open(newline="") as file:
        return Counter((row["frame"], row["face"]) for row in csv.DictReader(file))


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Every face of every frame, as a run that nothing disturbs finds them."""
    folder = tmp_path_factory.mktemp("calm")
    server = PrivateServer(folder / "redis")
    server.start()
    with Crew(server.url, folder) as crew:
        crew.start()
        yield analysed(server, folder, "calm")
    server.stop()


@pytest.mark.row(7)
def test_a_job_is_complete_although_power_cuts_took_the_last_second_of_redis(
    calm, server, clients, crew, tmp_path, record_property
):
    client = clients.commands
    crew.start()
    cut_bytes = []

    def disturb(running):
        for _ in range(2):
            # Some of it is on the disk; what follows will be lost.
            until(lambda: running.poll() is None and any(map(client.xlen, client.scan_iter("*job-*:results"))))
            time.sleep(1.5)
            cut_bytes.append(power.strike(1.0))
            server.start()

    with PowerCut(server, tmp_path) as power:
        disturbed = analysed(server, tmp_path, "disturbed", disturb)

    record_property("crops", disturbed.total())
    assert min(cut_bytes) > 0
    assert set(disturbed.values()) == {1}
    assert disturbed == calm
    assert crew.workers[0].alive


@pytest.mark.row(7)
def test_a_power_cut_loses_only_the_crops_of_a_live_source_that_redis_had_not_written(server, clients, crew, tmp_path):
    ledger = Ledger(clients.commands, "clip")  # its own, since what was read before the cut may be delivered again
    crew.start()
    with PowerCut(server, tmp_path) as power, Load(server.url, ledger, 20, deadline_after_ms=60_000) as load:
        until(lambda: ledger.balance().ok > 100)
        time.sleep(1.5)
        ledger.read()
        assert power.strike(1.0) > 0
        cut_at = load.frames
        server.start()
        until(lambda: ledger.read() or any(frame_of(name) > cut_at + 20 for name in ledger.readings))
        load.end_sending()
        until(lambda: ledger.balance().backlog == 0)

    load.check_answers()
    missing = load.crops.keys() - ledger.readings.keys()
    assert ledger.balance().lost == len(missing)
    assert len(missing) <= 2 * 20 * FACES
    assert all(cut_at - 2 * 20 <= frame_of(name) <= cut_at for name in missing)


def frame_of(name):
    return int(name.split(":")[2])


@pytest.mark.row(8)
@pytest.mark.short
def test_a_flush_under_load_loses_only_the_contents_of_redis_and_the_workers_recover_at_once(
    server, clients, ledger, crew
):
    errors = []
    with Proxy(server) as proxy, Load(server.url, ledger, 50) as load:
        proxy.gate = lambda way, piece: way == "commands" or not errors.extend([1] * piece.count(b"-NOGROUP")) or True
        crew.start(url=proxy.url, test_seconds_per_batch=0.02, batch=8)
        started = time.monotonic()
        for _ in range(3):
            seen = len(ledger.readings)
            until(lambda seen=seen: ledger.read() or len(ledger.readings) > seen + 50)
            with load.quiet:
                ledger.flush()
            flushed, seen = time.monotonic(), len(ledger.readings)
            until(lambda seen=seen: ledger.read() or len(ledger.readings) > seen)
            assert time.monotonic() - flushed < 15  # the promise is 5 s; this machine may be busy
        load.end_sending()
        until(lambda: ledger.balance().settled)
        took = time.monotonic() - started

    load.check_answers()
    assert ledger.balance().erased > 0
    assert len(errors) / took < 5
    assert [group["name"] for group in clients.commands.xinfo_groups(keys.crops("clip"))] == [GROUP.encode()]


@pytest.mark.row(8)
def test_the_services_recover_within_seconds_when_redis_restarts_empty(make_server, make_crew):
    server = make_server("--appendonly", "no")
    clients = connect(server.url, "test")
    ledger = Ledger(clients.commands, "clip")
    with Proxy(server) as proxy, make_crew(proxy.url) as crew, Load(server.url, ledger, 50) as load:
        worker = crew.start()
        until(lambda: ledger.read() or len(ledger.readings) > 100)
        with load.quiet:
            server.kill()
            refused, away = proxy.refused, time.monotonic()
            ledger.erase(load.crops)
            ledger.streams_are_new()
        time.sleep(3.0)
        assert (proxy.refused - refused) / (time.monotonic() - away) < 2 * 5  # it has two connections
        server.start()
        back, seen = time.monotonic(), len(ledger.readings)
        until(lambda: ledger.read() or len(ledger.readings) > seen)
        assert time.monotonic() - back < 15  # the promise is 5 s; this machine may be busy
        load.end_sending()
        until(lambda: ledger.balance().settled)
        assert worker.said("warning") == ["redis unavailable, retrying", "redis available again"]
        assert worker.stop() == 0
    load.check_answers()
    assert ledger.repeated == []
    clients.close()


@pytest.mark.row(9)
def test_a_frozen_redis_makes_no_duplicate_and_ends_no_process(server, ledger, crew):
    crew.start()
    crew.start(test_seconds_per_batch=0.05, batch=8)
    with Load(server.url, ledger, 50) as load:
        for _ in range(2):
            seen = len(ledger.readings)
            until(lambda seen=seen: ledger.read() or len(ledger.readings) > seen + 100)
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(FROZEN_SECONDS)
            os.kill(server.pid, signal.SIGCONT)
        seen = len(ledger.readings)
        until(lambda: ledger.read() or len(ledger.readings) > seen + 100)
        load.end_sending()
        until(lambda: ledger.balance().settled)
        assert {worker.stop() for worker in crew.workers} == {0}

    load.check_answers()
    assert ledger.balance().ok == ledger.added
    assert ledger.repeated == []


@pytest.mark.row(10)
def test_a_bad_network_loses_repeats_and_corrupts_no_reading(server, clients, proxy, ledger, crew):
    proxy.longest_slice = 700
    crew.start(url=proxy.url)
    crew.start(url=proxy.url, test_seconds_per_batch=0.05, batch=8)
    with Load(proxy.url, ledger, 20) as load:

        def some_more():
            seen = len(ledger.readings)
            until(lambda: ledger.read() or len(ledger.readings) > seen + 40)

        some_more()
        for number in range(10):
            time.sleep(0.1 + 0.03 * number)
            assert proxy.reset() > 0
            some_more()
        for way in ("replies", "commands"):
            proxy.lose(way)
            time.sleep(3.0)  # longer than the time-out of a command
            proxy.lose()
            some_more()
        load.end_sending()
        until(lambda: ledger.balance().settled)
        assert pending(clients.commands, "clip") == 0
        assert {worker.stop() for worker in crew.workers} == {0}

    load.check_answers()
    assert ledger.balance().ok == ledger.added
    assert ledger.repeated == []


@pytest.mark.row(11)
def test_a_full_redis_makes_producers_wait_and_drains_by_itself(server, clients, make_ledger, crew):
    client, ledger = clients.commands, make_ledger("clip", makes_room=True)
    crew.start()
    with Load(server.url, ledger, 100, backlog_limit=100_000) as load:
        until(lambda: ledger.read() or len(ledger.readings) > 100)
        for worker in crew.workers:
            worker.freeze()
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", used + 3_000_000)
        until(lambda: load.outage.lasts)
        frames = load.frames
        time.sleep(1.0)
        assert load.frames - frames <= 1  # it waits
        for worker in crew.workers:
            worker.thaw()
        until(lambda: ledger.read() or load.frames > frames + 100)
        load.end_sending()
        until(lambda: ledger.balance().settled)

    load.check_answers()
    assert ledger.balance().ok == ledger.added
    assert ledger.repeated == []


@pytest.mark.row(12)
@pytest.mark.short
def test_a_crop_that_is_sent_three_times_has_one_result(clients, ledger, crew):
    client = clients.commands
    announce(client, "clip")
    publisher = CropPublisher(client, "clip", RedisClock())
    crops = [crop("clip", frame, index=index) for frame in range(20) for index in range(FACES)]
    ledger.add(map(crop_id, crops))
    for start in range(0, len(crops), FACES):
        batch = Batch(crops[start : start + FACES])
        for _ in range(3):
            publisher.send(batch)
    assert client.xlen(keys.crops("clip")) == len(crops)
    with pytest.raises(ResponseError, match="equal or smaller"):
        client.xadd(keys.crops("clip"), crops[0].fields(), id=client.xrange(keys.crops("clip"))[0][0])
    crew.start()
    until(lambda: announce(client, "clip") or ledger.balance().settled)
    for start in range(0, len(crops), FACES):
        with pytest.raises(ResponseError, match="equal or smaller"):
            client.xadd(keys.crops("clip"), crops[start].fields(), id=f"{batch.ms}-{start % FACES}")
    add(client, "clip", crop("clip", 99))
    ledger.add(["clip:e1:99:0"])
    until(lambda: ledger.balance().settled)
    assert ledger.balance().ok == len(crops) + 1
    assert ledger.repeated == []
