"""Rows 1 to 6: workers that are killed, frozen, stopped or absent, many workers, and poison crops."""

import time
from collections import Counter
from contextlib import ExitStack
from threading import Event
from zlib import crc32

import pytest

from contract import keys
from tests.faults.load import FACES, Load
from tests.faults.proxy import Proxy
from tests.faults.waiting import until
from tests.inference import GROUP, KILLS, RAISES, add, announce, crop, pending

SLOW = {"test_seconds_per_batch": 0.05, "batch": 8}


def at_work(client):
    """There are some outcomes and some pending crops."""
    return client.xlen(keys.results("clip")) > 20 and pending(client, "clip") > 0


def consumers(client):
    return len(client.xinfo_consumers(keys.crops("clip"), GROUP))


def at_the_delivery(_proxy, victim):
    """The worker is killed while Redis sends it the crops; it never receives them."""

    def gate(way, piece):
        if way == "replies" and b"pixels" in piece:
            victim().kill()
            return False
        return True

    return gate


def before_the_commit(_proxy, victim):
    """The crops are classified, and the commit never reaches Redis."""

    def gate(way, piece):
        if way == "commands" and keys.results("clip").encode() in piece:
            victim().kill()
            return False
        return True

    return gate


def after_the_commit(_proxy, victim):
    """The commit is done, and the worker never receives the reply."""
    committing = Event()

    def gate(way, piece):
        if way == "commands" and keys.results("clip").encode() in piece:
            committing.set()
        if way == "replies" and committing.is_set():
            victim().kill()
            return False
        return True

    return gate


@pytest.mark.row(1)
@pytest.mark.parametrize("moment", [at_the_delivery, before_the_commit, after_the_commit])
def test_workers_that_are_killed_at_the_worst_moment_leave_one_result_a_crop(server, ledger, crew, moment):
    with ExitStack() as stack:
        victims = []
        for number in range(3):
            proxy = stack.enter_context(Proxy(server))
            victims.append(crew.start(url=proxy.url))
            proxy.gate = moment(proxy, lambda number=number: victims[number])
        load = stack.enter_context(Load(server.url, ledger, 50))
        until(lambda: not crew.living)
        crew.start()
        until(lambda: load.frames > 150)
        load.end_sending()
        until(lambda: ledger.balance().settled)

    load.check_answers()
    assert ledger.balance().ok == ledger.added
    assert ledger.repeated == []


@pytest.mark.row(1)
@pytest.mark.short
def test_workers_that_are_killed_in_the_middle_of_inference_leave_one_result_a_crop(server, clients, ledger, crew):
    victims = [crew.start(**SLOW) for _ in range(2)]
    survivor = crew.start()
    survivor_ready = lambda: "worker started" in survivor.log  # noqa: E731
    with Load(server.url, ledger, 50) as load:
        until(lambda: survivor_ready() and at_work(clients.commands))
        for victim in victims:
            victim.kill()
        load.end_sending()
        until(lambda: ledger.balance().settled)

    load.check_answers()
    assert ledger.balance().ok == ledger.added


@pytest.mark.row(2)
def test_a_worker_that_is_stopped_under_load_drains_and_commits_no_delivery_twice(server, clients, ledger, crew):
    client = clients.commands
    leaving, staying = crew.start(**SLOW), crew.start(**SLOW)
    with Load(server.url, ledger, 50) as load:
        until(lambda: at_work(client) and consumers(client) == 2)
        started = time.monotonic()
        assert leaving.stop() == 0
        took = time.monotonic() - started
        delivered = client.xpending_range(keys.crops("clip"), GROUP, "-", "+", 1000)
        assert consumers(client) == 1
        assert {entry["times_delivered"] for entry in delivered} <= {1}
        load.end_sending()
        until(lambda: ledger.balance().settled)
        assert staying.stop() == 0

    assert took < 15  # the promise is 5 s; this machine may be busy
    assert pending(client, "clip") == 0
    assert client.xinfo_consumers(keys.crops("clip"), GROUP) == []
    assert leaving.said("error") == staying.said("error") == []
    assert ledger.balance().ok == ledger.added


@pytest.mark.row(3)
def test_workers_that_are_frozen_past_the_claim_add_no_duplicate(server, clients, ledger, crew):
    client = clients.commands
    with Proxy(server) as proxy, Load(server.url, ledger, 50) as load:
        sleeper, committer = crew.start(**SLOW), crew.start(url=proxy.url, **SLOW)
        frozen, thawed = Event(), Event()

        def hold_the_commit(way, piece):
            if way == "commands" and keys.results("clip").encode() in piece and not frozen.is_set():
                committer.freeze()
                frozen.set()
                assert thawed.wait(60)  # the commit arrives when all that it names was claimed and done by others
            return True

        proxy.gate = hold_the_commit
        until(frozen.is_set)
        until(lambda: at_work(client))
        sleeper.freeze()
        held = {entry["message_id"] for entry in client.xpending_range(keys.crops("clip"), GROUP, "-", "+", 1000)}
        crew.start()
        until(lambda: not held & set(_ids(client)))
        thawed.set()
        for zombie in (sleeper, committer):
            zombie.thaw()
        until(lambda: load.frames > 200)
        load.end_sending()
        until(lambda: ledger.balance().settled)
        assert {worker.stop() for worker in crew.workers} == {0}

    load.check_answers()
    assert held
    assert ledger.balance().ok == ledger.added
    assert ledger.repeated == []


def _ids(client):
    return [entry for entry, _ in client.xrange(keys.crops("clip"))]


@pytest.mark.row(5)
def test_scaling_from_one_worker_to_eight_and_back_loses_nothing_and_leaves_no_dead_consumer(
    server, clients, ledger, crew
):
    client = clients.commands
    first = crew.start(**SLOW)
    with Load(server.url, ledger, 40) as load:
        until(lambda: at_work(client))
        others = [crew.start(**SLOW) for _ in range(7)]
        until(lambda: consumers(client) == 8)
        for number, worker in enumerate(others):
            worker.kill() if number % 2 else worker.stop()
        until(lambda: consumers(client) <= 1 + 2)
        load.end_sending()
        until(lambda: ledger.balance().settled)
        until(lambda: consumers(client) == 1 and client.hlen(keys.WORKERS) == 1)
        assert first.stop() == 0

    load.check_answers()
    assert ledger.balance().ok == ledger.added


@pytest.mark.row(6)
@pytest.mark.parametrize("mark", [RAISES, KILLS], ids=["raises", "kills"])
def test_only_the_poison_crop_of_a_batch_is_dead_lettered(clients, ledger, crew, tmp_path, mark):
    crops = [crop("clip", frame, mark=mark if frame == 17 else b"") for frame in range(32)]
    ledger.add(f"clip:e1:{frame}:0" for frame in range(32))
    announce(clients.commands, "clip")
    add(clients.commands, "clip", *crops, register=False)
    runs = tmp_path / "runs"

    def done():
        announce(clients.commands, "clip")
        if not crew.living:
            crew.start(test_runs=runs)
        return ledger.balance().settled

    until(done)

    assert [dead.crop_id for dead in ledger.dead_letters.values()] == ["clip:e1:17:0"]
    assert ledger.balance().ok == 31
    counts = Counter(int(line) for line in runs.read_text().splitlines())
    assert max(counts[crc32(one.pixels)] for one in crops if one is not crops[17]) <= 3


@pytest.mark.row(4)
def test_a_job_goes_on_when_all_workers_were_away_for_long(server, clients, ledger, crew):
    before = crew.start()
    with Load(server.url, ledger, 50, backlog_limit=400) as load:
        until(lambda: at_work(clients.commands) or ledger.read() or len(ledger.readings) > 50)
        before.kill()
        until(lambda: load.skipped > 20)  # the producer waits: overload slows reading
        assert ledger.balance().backlog <= 400 + FACES
        assert ledger.balance().lost == 0
        crew.start()
        frames = load.frames
        until(lambda: load.frames > frames + 50)
        load.end_sending()
        until(lambda: ledger.balance().settled)

    load.check_answers()
    assert ledger.balance().ok == ledger.added


@pytest.mark.row(4)
@pytest.mark.short
def test_live_crops_that_waited_for_a_worker_are_reported_as_stale_and_the_next_ones_are_fresh(server, ledger, crew):
    with Load(server.url, ledger, 20, deadline_after_ms=1000, backlog_limit=100) as load:
        until(lambda: load.skipped > 10)
        crew.start()
        until(lambda: ledger.balance().ok > 20)
        load.end_sending()
        until(lambda: ledger.balance().settled)

    load.check_answers()
    assert ledger.balance().stale > 0
