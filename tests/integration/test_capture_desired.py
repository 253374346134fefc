"""Sources that are added and removed while `python -m capture_service` runs."""

import os
import signal
import time

import pytest

from capture_service.processes.added_sources import AddedSources
from contract import keys
from contract.messages import AddedSource
from tests.capture import status, until
from tests.integration.test_capture_service import children, online, service


def want(client, name, address="demo", **more):
    one = AddedSource(name=name, address=address, added_ms=1, **more)
    client.hset(keys.ADDED_SOURCES, name, one.model_dump_json())


def is_offline(client, name, reason):
    told = status(client, name)
    return told and told.state == "OFFLINE" and reason in told.reason


def test_sources_come_and_go_and_the_others_do_not_notice(server, clients):
    client = clients.commands
    with service(server, EMOTII_SOURCES="a=demo") as process:
        before = until(lambda: online(client, "a"), 60)
        configured = children(process.pid)
        want(client, "b")
        want(client, "a")  # the configuration has this name
        client.hset(keys.ADDED_SOURCES, "odd", "{")
        added = until(lambda: online(client, "b"), 60)
        assert added.added
        assert (added.order, before.order) == (2, 0)
        assert not status(client, "a").added
        (child,) = children(process.pid) - configured

        os.kill(child, signal.SIGKILL)
        again = until(lambda: (told := online(client, "b")) and told.epoch != added.epoch and told, 60)
        want(client, "b", fps=2)
        until(lambda: (told := online(client, "b")) and told.epoch != again.epoch, 60)

        client.hdel(keys.ADDED_SOURCES, "b")
        until(lambda: not client.exists(*keys.of_camera("b")) and status(client, "b") is None, 30)
        assert children(process.pid) == configured
        assert status(client, "a").epoch == before.epoch
        process.terminate()
        assert process.wait(15) == 0
        log = process.stderr.read()
    assert log.count("whose name the configuration has taken") == 1
    assert log.count("a desired source cannot be captured") == 1
    assert "Traceback" not in log


def test_a_list_of_sources_that_is_something_else_is_told_and_read_again_once_it_is_mended(server, clients):
    client = clients.commands
    client.set(keys.ADDED_SOURCES, "what somebody put there")
    with service(server, EMOTII_SOURCES="none") as process:
        assert "WRONGTYPE" in until(lambda: line if "WRONGTYPE" in (line := process.stderr.readline()) else None, 60)
        client.delete(keys.ADDED_SOURCES)
        want(client, "b")
        until(lambda: online(client, "b"), 60)


def test_an_inbox_that_is_something_else_ends_no_camera(server, clients):
    client = clients.commands
    client.set(keys.inbox(keys.UPLOADS), "what somebody put there")
    with service(server, EMOTII_SOURCES="a=demo") as process:
        until(lambda: online(client, "a"), 60)
        frames = status(client, "a").frames
        until(lambda: status(client, "a").frames > frames, 30)
        assert process.poll() is None


def test_what_was_added_is_there_again_after_restarts_of_capture_and_redis(server, clients):
    client = clients.commands
    client.config_set("appendfsync", "always")
    want(client, "b")
    with service(server, EMOTII_SOURCES="none") as process:
        first = until(lambda: online(client, "b"), 60)
        child = children(process.pid)
        server.kill()
        server.start()
        until(lambda: (told := online(client, "b")) and told.seen_ms > first.seen_ms and told.frames > first.frames, 30)
        assert children(process.pid) == child, "an outage ends no capture"
        process.terminate()
        assert process.wait(15) == 0
    with service(server, EMOTII_SOURCES="none"):
        until(lambda: (told := online(client, "b")) and told.epoch != first.epoch, 60)


@pytest.mark.parametrize(
    ("address", "reason"),
    [("/no/such/file.mp4", "no such file"), ("/dev/zero", "not a regular file"), ("63", "cannot open webcam 63")],
)
def test_what_cannot_be_opened_is_offline_with_the_reason(server, clients, address, reason):
    want(clients.commands, "b", address)
    with service(server, EMOTII_SOURCES="none"):
        until(lambda: is_offline(clients.commands, "b", reason), 60)


def test_a_password_stays_out_of_log_status_and_metrics(server, clients):
    client = clients.commands
    want(client, "b", "http://user:hunter2@127.0.0.1:9/hunter2?token=hunter2@x")
    want(client, "c", "rtsp//user:hunter2@127.0.0.1:9/")
    client.hset(keys.ADDED_SOURCES, "d", '{"name": "d", "address": "rtsp://user:hunter2@h/", "fps": "hunter2"}')
    with service(
        server, EMOTII_SOURCES="none", EMOTII_LOG_LEVEL="debug", EMOTII_CAMERA_NETWORKS="127.0.0.0/8"
    ) as process:
        until(lambda: is_offline(client, "b", "cannot open http://***"), 60)
        process.terminate()
        assert process.wait(15) == 0
        log = process.stderr.read()
    assert log.count("a desired source cannot be captured") == 2
    for key in client.scan_iter():
        if key.decode() != keys.ADDED_SOURCES and client.type(key) == b"hash":
            assert b"hunter2" not in b"".join(client.hvals(key))
    assert "hunter2" not in log


def test_a_browser_that_left_for_long_is_forgotten_and_one_that_returns_is_not(clients):
    client, desired = clients.commands, AddedSources(clients.commands, linger=1.0)
    want(client, "tab", "", camera="browser")
    client.set(keys.lease(keys.camera("tab")), "a gateway")
    desired.look()
    assert [(spec.name, spec.kind) for spec in desired.wanted()] == [("tab", "browser")]
    client.delete(keys.lease(keys.camera("tab")))
    desired.look()
    client.set(keys.lease(keys.camera("tab")), "a gateway")
    time.sleep(1.1)
    desired.look()
    assert desired.wanted(), "it came back"
    client.delete(keys.lease(keys.camera("tab")))
    desired.look()

    def forgotten():
        desired.look()
        return not desired.wanted()

    until(forgotten)
    assert not client.exists(keys.ADDED_SOURCES)
