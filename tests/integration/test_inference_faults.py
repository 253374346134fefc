"""Worker processes that are killed, suspended and stopped, and a server that is killed."""

import os
import signal
import time
from urllib.request import urlopen

import pytest

from contract import keys
from contract.messages import WorkerStatus
from tests.inference import (
    GROUP,
    KILLS,
    add,
    crop,
    dead,
    frames,
    pending,
    processes,
    results,
    until,
    until_outcomes,
    working,
    write_tiny_model,
)

SLOW = {"test_seconds_per_batch": 0.05, "batch": 8}


def at_work(client, source):
    """Some outcomes are stored and some crops are pending."""
    return client.xlen(keys.results(source)) > 20 and pending(client, source) > 0


def test_a_killed_worker_leaves_no_crop_behind_and_no_duplicate(any_server, any_clients):
    client = any_clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(300)])

    with processes() as start:
        victims = [start(any_server.url, **SLOW) for _ in range(2)]
        until(lambda: at_work(client, "clip"))
        for victim in victims:
            victim.kill()
        start(any_server.url)
        until_outcomes(client, "clip", 300)

    assert sorted(frames(results(client, "clip"))) == list(range(300))


def test_a_worker_that_is_stopped_under_load_commits_its_pending_crops_and_deregisters(any_server, any_clients):
    client = any_clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(400)])

    with processes() as start:
        worker = start(any_server.url, **SLOW)
        until(lambda: at_work(client, "clip"))
        stopped = time.monotonic()
        worker.terminate()
        assert worker.wait(15) == 0
        assert time.monotonic() - stopped < 15
        assert worker.stderr.read() == ""

    done = client.xlen(keys.results("clip"))
    assert 0 < done < 400
    assert pending(client, "clip") == 0
    assert done + client.xlen(keys.crops("clip")) == 400
    assert client.xinfo_consumers(keys.crops("clip"), GROUP) == []
    assert client.hgetall(keys.WORKERS) == {}


def test_a_worker_that_was_suspended_until_its_crops_were_claimed_adds_no_duplicate(server, clients):
    client = clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(100)])

    with processes() as start:
        zombie = start(server.url, **SLOW)
        until(lambda: at_work(client, "clip"))
        os.kill(zombie.pid, signal.SIGSTOP)
        with working(server.url):
            until_outcomes(client, "clip", 100)
            os.kill(zombie.pid, signal.SIGCONT)
            add(client, "clip", *[crop("clip", frame) for frame in range(100, 200)])
            until_outcomes(client, "clip", 200)
        zombie.terminate()
        assert zombie.wait(15) == 0

    assert sorted(frames(results(client, "clip"))) == list(range(200))


def test_only_the_crop_that_kills_its_process_is_dead_lettered(server, clients):
    client = clients.commands
    poison = 5
    add(client, "clip", *[crop("clip", frame, mark=KILLS if frame == poison else b"") for frame in range(16)])

    with processes() as start:
        started = [start(server.url)]

        def all_done():
            if started[-1].poll() is not None:
                started.append(start(server.url))
            return client.xlen(keys.results("clip")) + client.xlen(keys.dead("clip")) == 16

        until(all_done, 60)

    assert sorted(frames(results(client, "clip"))) == [frame for frame in range(16) if frame != poison]
    (letter,) = dead(client, "clip")
    assert letter.crop_id == f"clip:e1:{poison}:0"
    assert "running it alone" in letter.reason
    assert len(started) == 4  # twice in a batch, once alone, and the one that dead-lettered it
    assert client.scard(keys.quarantined("clip")) == 0


def test_after_a_restart_of_a_killed_server_every_crop_that_it_still_has_is_processed(any_server, any_clients):
    client = any_clients.commands
    add(client, "clip", *[crop("clip", frame) for frame in range(300)])
    until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0)
    client.config_set("appendfsync", "always")

    with processes() as start:
        worker = start(any_server.url, **SLOW)
        until(lambda: at_work(client, "clip"))
        os.kill(any_server.pid, signal.SIGKILL)
        until(lambda: any_server.pid is None)
        assert "redis unavailable, retrying" in worker.stderr.readline()
        any_server.start()
        until_outcomes(client, "clip", 300, 40)
        worker.terminate()
        assert worker.wait(15) == 0
        output = worker.stderr.read()

    assert sorted(frames(results(client, "clip"))) == list(range(300))
    (line,) = output.splitlines()
    assert "redis available again" in line


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_the_service_classifies_with_a_model_from_a_folder_and_shows_health_and_metrics(server, clients, tiny):
    client = clients.commands
    add(client, "clip", crop("clip", 0))

    with processes() as start:
        worker = start(server.url, "inference_service", model=tiny)
        until_outcomes(client, "clip", 1)
        until(lambda: WorkerStatus.model_validate_json(client.hvals(keys.WORKERS)[0]).crops == 1)
        (status,) = [WorkerStatus.model_validate_json(value) for value in client.hvals(keys.WORKERS)]
        with urlopen(f"http://127.0.0.1:{status.metrics_port}/healthz") as health:
            assert health.status == 200
        with urlopen(f"http://127.0.0.1:{status.metrics_port}/metrics") as metrics:
            assert b'emotii_inference_crops_total{outcome="ok"} 1.0' in metrics.read()
        worker.terminate()
        assert worker.wait(15) == 0

    (reading,) = results(client, "clip")
    assert (reading.model, status.pid, status.model) == ("tiny@1.0.0", worker.pid, "tiny@1.0.0")


def test_a_worker_waits_for_redis_with_one_warning_and_can_be_stopped_while_it_waits(tmp_path, tiny):
    with processes() as start:
        worker = start(f"unix://{tmp_path}/nothing.sock", "inference_service", model=tiny)
        assert "worker started" in worker.stderr.readline()
        assert "redis unavailable, retrying" in worker.stderr.readline()
        worker.terminate()
        assert worker.wait(15) == 0
        assert "Traceback" not in worker.stderr.read()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "no-such-model"}, "no model called 'no-such-model'"),
        ({"model": "/no/such/folder"}, "no model in /no/such/folder"),
        ({"batch": 0}, "EMOTII_BATCH=0"),
        ({"linger": "1s"}, "EMOTII_LINGER=1s"),
        ({"engine": "abacus"}, "EMOTII_ENGINE=abacus"),
        ({"redis_url": "nowhere"}, "EMOTII_REDIS_URL"),
    ],
)
def test_a_configuration_error_is_one_line_and_exit_code_2(tiny, settings, message):
    with processes() as start:
        worker = start("redis://127.0.0.1:1", "inference_service", **{"model": tiny, **settings})
        assert worker.wait(30) == 2
        (line,) = worker.stderr.read().splitlines()
    assert message in line


def test_a_model_with_another_number_of_labels_than_outputs_is_refused(tmp_path):
    folder = write_tiny_model(tmp_path / "tiny", labels=("happy", "sad"))
    with processes() as start:
        worker = start("redis://127.0.0.1:1", "inference_service", model=folder)
        assert worker.wait(30) == 2
        assert "the network's output is" in worker.stderr.read()
