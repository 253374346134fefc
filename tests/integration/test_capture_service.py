"""`python -m capture_service` as processes."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.request import urlopen

import cv2
import numpy as np
import pytest

from capture_service.processes.supervisor import ProcessSupervisor
from contract import keys
from contract.messages import InboxPicture
from contract.service.health import is_healthy
from tests.capture import FAST, entries, settings, status, until
from tests.stage import free_port

COMMAND = [sys.executable, "-m", "capture_service"]


def environment(server, **more):
    fast = {f"EMOTII_{name.upper()}": value for name, value in FAST.items()}
    return {**os.environ, "EMOTII_REDIS_URL": server.url, "EMOTII_DETECTOR": "haar", **fast, **more}


@contextmanager
def service(server, **more):
    with subprocess.Popen(
        COMMAND, env=environment(server, **more), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def online(client, source):
    found = status(client, source)
    return found if found and found.state == "ONLINE" else None


def stopped(client, *sources):
    """Whether the registry holds exactly these sources, each stopped in order."""
    found = {name: status(client, name) for name in map(bytes.decode, client.hkeys(keys.SOURCES))}
    return found.keys() == set(sources) and all(
        (one.state, one.reason) == ("OFFLINE", "stopped") for one in found.values()
    )


def metrics(port):
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return answer.read().decode()


def free_ports(count):
    """The first of `count` free ports in a row."""
    for _ in range(100):
        first = free_port()
        try:
            for behind in range(1, count):
                socket.create_server(("127.0.0.1", first + behind)).close()
        except (OSError, OverflowError):
            continue
        return first
    raise AssertionError("no free ports in a row")


def has_ended(pid):
    """Whether a process has ended; it may wait for its new parent to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def children(parent):
    found = subprocess.run(
        ["ps", "-eww", "-o", "pid=", "-o", "ppid=", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in found.splitlines()]
    return {
        int(pid)
        for pid, its_parent, args in rows
        if its_parent == str(parent) and "capture_service.processes.child" in args
    }


def test_a_broken_source_leaves_the_others_alone_and_all_end_in_order(server, clients):
    client = clients.commands
    with service(server, EMOTII_SOURCES="a=demo,broken=http://127.0.0.1:9/x,b=demo") as process:
        found = [until(lambda name=name: online(client, name), 60) for name in ("a", "b", keys.UPLOADS)]
        until(lambda: (broken := status(client, "broken")) and broken.state == "OFFLINE")
        assert [source.order for source in found] == [0, 2, 3]
        until(lambda: 'emotii_capture_frames_total{source="a"}' in metrics(found[0].metrics_port))
        assert 'emotii_capture_state{emotii_capture_state="ONLINE",source="a"} 1.0' in metrics(found[0].metrics_port)
        running = children(process.pid)
        process.terminate()
        assert process.wait(15) == 0
        assert "Traceback" not in process.stderr.read()
    assert len(running) == 4, "one process for each source and one for uploaded pictures"
    assert stopped(client, "a", "broken", "b", keys.UPLOADS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_ends_all_in_order(server, clients, number):
    with service(server, EMOTII_SOURCES="a=demo") as process:
        until(lambda: online(clients.commands, "a") and online(clients.commands, keys.UPLOADS), 60)
        os.killpg(process.pid, number)
        assert process.wait(15) == 0
        assert "killed" not in process.stderr.read()
    assert stopped(clients.commands, "a", keys.UPLOADS)


def test_a_child_that_dies_is_started_again(server, clients):
    client = clients.commands
    with service(server, EMOTII_SOURCES="a=demo") as process:
        first = until(lambda: online(client, "a"), 60)
        uploads = until(lambda: online(client, keys.UPLOADS), 60)
        before = children(process.pid)
        assert len(before) == 2
        for child in before:
            os.kill(child, signal.SIGKILL)
        until(lambda: (found := online(client, "a")) and found.epoch != first.epoch, 60)
        until(lambda: (found := online(client, keys.UPLOADS)) and found.since_ms > uploads.since_ms, 60)
        assert not before & children(process.pid)
        process.terminate()
        assert process.wait(15) == 0
        assert process.stderr.read().count("capture ended, starts again") == 2


def test_no_child_outlives_a_parent_that_was_killed(server, clients):
    with service(server, EMOTII_SOURCES="a=demo") as process:
        until(lambda: online(clients.commands, "a") and online(clients.commands, keys.UPLOADS), 60)
        running = children(process.pid)
        assert len(running) == 2
        process.kill()
        process.wait()
        until(lambda: all(has_ended(child) for child in running))
        assert stopped(clients.commands, "a", keys.UPLOADS)


def test_uploaded_pictures_are_captured_by_one_process_and_after_a_crash_by_the_next(server, clients):
    client = clients.commands
    ok, jpeg = cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))
    assert ok

    def upload(number):
        client.xadd(keys.inbox(keys.UPLOADS), InboxPicture(f"request-{number}", 0, 0, 0, jpeg.tobytes()).fields())
        until(lambda: len(entries(client, keys.UPLOADS)) == number + 1, 60)

    with service(server, EMOTII_SOURCES="none") as process:
        first = until(lambda: online(client, keys.UPLOADS), 60)
        (child,) = children(process.pid)
        upload(0)
        upload(1)
        assert [entry.width for entry in entries(client, keys.UPLOADS)] == [160, 160]
        assert children(process.pid) == {child}
        found = until(lambda: (found := online(client, keys.UPLOADS)) and found.frames == 2 and found)
        assert (found.order, found.since_ms) == (0, first.since_ms)
        os.kill(child, signal.SIGKILL)
        upload(2)
        process.terminate()
        assert process.wait(15) == 0
    assert stopped(client, keys.UPLOADS)


def test_a_child_that_hangs_is_killed_and_started_again(server, clients):
    client = clients.commands
    its_settings = settings(server, detector="haar")
    running, stop = ProcessSupervisor((), its_settings, longest_turn=4.0), Event()
    with ThreadPoolExecutor(1) as executor:
        ending = executor.submit(running.run, stop)
        try:
            until(lambda: online(client, keys.UPLOADS), 60)
            assert running.alive()
            first = next(iter(children(os.getpid())))
            os.kill(first, signal.SIGSTOP)
            until(lambda: not running.alive(), 20)
            until(lambda: has_ended(first), 20)
            before = status(client, keys.UPLOADS).seen_ms
            until(lambda: status(client, keys.UPLOADS).seen_ms > before and online(client, keys.UPLOADS), 60)
            assert running.alive()
        finally:
            stop.set()
            ending.result(20)
    assert stopped(client, keys.UPLOADS)


def test_a_child_does_not_hang_while_redis_is_unreachable(server, clients):
    client = clients.commands
    running, stop = ProcessSupervisor((), settings(server), longest_turn=3.0), Event()
    with ThreadPoolExecutor(1) as executor:
        ending = executor.submit(running.run, stop)
        try:
            until(lambda: online(client, keys.UPLOADS), 60)
            before = children(os.getpid())
            server.kill()
            assert not stop.wait(6), "longer than a turn may take"
            assert running.alive()
            server.start()
            until(lambda: online(client, keys.UPLOADS), 30)
            assert children(os.getpid()) == before
        finally:
            stop.set()
            ending.result(20)


def test_an_idle_connection_to_its_metrics_does_not_hold_up_the_end(server, clients):
    port = free_ports(3)
    with service(server, EMOTII_SOURCES="a=demo", EMOTII_METRICS_PORT=str(port)) as process:
        until(lambda: online(clients.commands, "a") and online(clients.commands, keys.UPLOADS), 60)
        idle = [socket.create_connection(("127.0.0.1", port + behind)) for behind in (0, 1)]
        assert is_healthy(f"http://127.0.0.1:{port}/healthz")
        assert is_healthy(f"http://127.0.0.1:{port + 1}/healthz")
        process.terminate()
        assert process.wait(15) == 0
        assert "killed" not in process.stderr.read()
    for connection in idle:
        connection.close()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EMOTII_SOURCES", "a=/no/such/file.mp4", "no such file"),
        ("EMOTII_SOURCES", "a=gopher://user:hunter2@host/", "gopher: is not supported"),
        ("EMOTII_SOURCES_FILE", "/no/such/file.toml", "No such file"),
        ("EMOTII_DETECTOR", "magic", "EMOTII_DETECTOR=magic"),
        ("EMOTII_REDIS_URL", "nonsense", "EMOTII_REDIS_URL"),
        ("EMOTII_METRICS_HOST", "192.0.2.1", "EMOTII_METRICS_PORT"),
    ],
)
def test_bad_configuration_is_one_line_and_exit_code_2(server, name, value, message):
    ended = subprocess.run(
        COMMAND, env=environment(server, **{name: value}), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert message in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "hunter2" not in ended.stderr
