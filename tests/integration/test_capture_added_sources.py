"""Sources that are added and removed while `python -m capture_service` runs."""

import os
import signal
import time

import pytest

from capture_service.processes.added_sources import AddedSources
from contract import keys
from contract.added_sources import REMOVE, REVISION
from contract.messages import AddedSource
from tests.capture import status, until
from tests.integration.test_capture_service import children, online, service


def add(client, name, address="demo", **more):
    one = AddedSource(name=name, address=address, added_ms=1, **more)
    client.hset(keys.ADDED_SOURCES, name, one.model_dump_json())


def is_offline(client, name, reason):
    found = status(client, name)
    return found and found.state == "OFFLINE" and reason in found.reason


@pytest.mark.long
def test_sources_are_added_and_removed_while_the_others_continue(server, clients):
    client = clients.commands
    with service(server, EMOTII_SOURCES="a=demo") as process:
        before = until(lambda: online(client, "a"), 60)
        configured = children(process.pid)
        add(client, "b")
        add(client, "a")  # the configuration has this name
        client.hset(keys.ADDED_SOURCES, "odd", "{")
        added = until(lambda: online(client, "b"), 60)
        assert added.added
        assert (added.order, before.order) == (2, 0)
        assert not status(client, "a").added
        (child,) = children(process.pid) - configured

        os.kill(child, signal.SIGKILL)
        again = until(lambda: (found := online(client, "b")) and found.epoch != added.epoch and found, 60)
        add(client, "b", fps=2)
        until(lambda: (found := online(client, "b")) and found.epoch != again.epoch, 60)

        client.hdel(keys.ADDED_SOURCES, "b")
        until(lambda: not client.exists(*keys.of_camera("b")) and status(client, "b") is None, 30)
        assert children(process.pid) == configured
        assert status(client, "a").epoch == before.epoch
        process.terminate()
        assert process.wait(15) == 0
        log = process.stderr.read()
    assert log.count("an added source has the name of a configured one") == 1
    assert log.count("values in redis ignored") == 1
    assert "Traceback" not in log


def test_a_list_of_sources_that_is_something_else_is_logged_and_read_again_once_it_is_repaired(server, clients):
    client = clients.commands
    client.set(keys.ADDED_SOURCES, "another type")
    with service(server, EMOTII_SOURCES="none") as process:
        assert "WRONGTYPE" in until(lambda: line if "WRONGTYPE" in (line := process.stderr.readline()) else None, 60)
        client.delete(keys.ADDED_SOURCES)
        add(client, "b")
        until(lambda: online(client, "b"), 60)


def test_an_inbox_key_of_another_type_ends_no_process(server, clients):
    client = clients.commands
    client.set(keys.inbox(keys.UPLOADS), "another type")
    with service(server, EMOTII_SOURCES="a=demo") as process:
        until(lambda: online(client, "a"), 60)
        frames, running = status(client, "a").frames, children(process.pid)
        assert "WRONGTYPE" in until(lambda: line if "WRONGTYPE" in (line := process.stderr.readline()) else None, 60)
        until(lambda: status(client, "a").frames > frames, 30)
        assert process.poll() is None
        assert children(process.pid) == running


def test_added_sources_are_captured_again_after_restarts_of_capture_and_redis(server, clients):
    client = clients.commands
    client.config_set("appendfsync", "always")
    add(client, "b")
    with service(server, EMOTII_SOURCES="none") as process:
        first = until(lambda: online(client, "b"), 60)
        child = children(process.pid)
        server.kill()
        server.start()
        until(
            lambda: (found := online(client, "b")) and found.seen_ms > first.seen_ms and found.frames > first.frames, 30
        )
        assert children(process.pid) == child, "an outage ends no capture"
        process.terminate()
        assert process.wait(15) == 0
    with service(server, EMOTII_SOURCES="none"):
        until(lambda: (found := online(client, "b")) and found.epoch != first.epoch, 60)


@pytest.mark.parametrize(
    ("address", "reason"),
    [("/no/such/file.mp4", "no such file"), ("/dev/zero", "not a regular file"), ("63", "cannot open webcam 63")],
)
def test_an_added_source_that_cannot_be_opened_is_offline_with_the_reason(server, clients, address, reason):
    add(clients.commands, "b", address)
    with service(server, EMOTII_SOURCES="none"):
        until(lambda: is_offline(clients.commands, "b", reason), 60)


def test_a_password_stays_out_of_log_status_and_metrics(server, clients):
    client = clients.commands
    add(client, "b", "http://user:hunter2@127.0.0.1:9/hunter2?token=hunter2@x")
    add(client, "c", "rtsp//user:hunter2@127.0.0.1:9/")
    client.hset(keys.ADDED_SOURCES, "d", '{"name": "d", "address": "rtsp://user:hunter2@h/", "fps": "hunter2"}')
    with service(
        server, EMOTII_SOURCES="none", EMOTII_LOG_LEVEL="debug", EMOTII_CAMERA_NETWORKS="127.0.0.0/8"
    ) as process:
        until(lambda: is_offline(client, "b", "cannot open http://***"), 60)
        process.terminate()
        assert process.wait(15) == 0
        log = process.stderr.read()
    assert log.count("an added source cannot be captured") == 1
    assert log.count("values in redis ignored") == 1
    for key in client.scan_iter():
        if key.decode() != keys.ADDED_SOURCES and client.type(key) == b"hash":
            assert b"hunter2" not in b"".join(client.hvals(key))
    assert "hunter2" not in log


def test_the_source_of_a_browser_that_left_is_removed_and_that_of_one_that_returned_is_kept(clients):
    client, added = clients.commands, AddedSources(clients.commands, linger=1.0)
    add(client, "tab", "", camera="browser")
    client.set(keys.lease(keys.camera("tab")), "a gateway")
    added.poll()
    assert [(spec.name, spec.kind) for spec in added.sources()] == [("tab", "browser")]
    client.delete(keys.lease(keys.camera("tab")))
    added.poll()
    client.set(keys.lease(keys.camera("tab")), "a gateway")
    time.sleep(1.1)
    added.poll()
    assert added.sources(), "it came back"
    client.delete(keys.lease(keys.camera("tab")))
    added.poll()

    def removed():
        added.poll()
        return not added.sources()

    until(removed)
    assert set(client.hkeys(keys.ADDED_SOURCES)) <= {REVISION}


def test_sources_that_redis_loses_stay_captured_and_are_written_back_where_no_gateway_runs(clients):
    client, added = clients.commands, AddedSources(clients.commands)
    client.hset(keys.ADDED_SOURCES, REVISION, 1)
    add(client, "a")
    added.poll()
    client.flushdb()

    def restored():
        added.poll()
        assert [spec.name for spec in added.sources()] == ["a"]
        return client.hexists(keys.ADDED_SOURCES, "a")

    until(restored)
    client.eval(REMOVE, 1, keys.ADDED_SOURCES, REVISION, "a")
    added.poll()
    assert added.sources() == ()
