"""Rows 17 to 19: viewers that stop reading, a thousand connections, and a shutdown with stalled viewers."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from websockets.sync.client import connect as connect_socket

from emotii.local.redis_server import PrivateServer
from tests.stage import GatewayProcess, Producer, gateway_process, until
from tests.viewer import events_of, stalled_viewer

DROPPED_SECONDS = 10.0
END_SECONDS = 7.0
STALLED = 20
CONNECTS = 1000


@pytest.fixture
def gateway(server: PrivateServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    settings = {"save": "false", "history": "0"}
    with Producer(server.url), gateway_process(server.url, tmp_path / "faces", **settings) as gateway:
        until(gateway.ready, 90, "readiness")
        yield gateway


def figure(gateway: GatewayProcess, name: str) -> float:
    lines = gateway.get("/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def stalled_client(port: int) -> socket.socket:
    """A client of the WebSocket that shakes hands and then reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", port))
    client.sendall(
        b"GET /ws/emotions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n" % port
    )
    return client


@pytest.mark.row(17)
@pytest.mark.parametrize("stall", [stalled_viewer, stalled_client])
def test_a_viewer_that_stops_reading_is_disconnected_and_the_others_are_not_affected(
    gateway: GatewayProcess, stall: Callable[[int], socket.socket], record_property
):
    process = psutil.Process(gateway.process.pid)
    watching = "emotii_gateway_viewers" if stall is stalled_viewer else "emotii_gateway_websocket_clients"
    with ExitStack() as stack, connect_socket(gateway.socket_url) as client:
        next(events_of(client, "reading"))
        before = process.memory_info().rss
        others = figure(gateway, watching)
        for _ in range(STALLED):
            stack.enter_context(stall(gateway.port))
        until(lambda: figure(gateway, watching) >= others + STALLED, 20, "all of them")
        began = time.monotonic()
        rates, most = [], before
        while figure(gateway, watching) > others:
            readings = readings_in(client, 1.0)
            rates.append(readings)
            most = max(most, process.memory_info().rss)
            assert time.monotonic() - began < 3 * DROPPED_SECONDS, "they are still there"
        seconds = time.monotonic() - began
        record_property("figures", f"{STALLED} dropped after {seconds:.1f} s, +{(most - before) / 1e6:.1f} MB")
        assert most - before < 60e6
        assert sum(rates) / len(rates) >= 10, f"readings a second of the one that reads: {rates}"


def readings_in(client, seconds: float) -> int:
    """The number of readings within so many seconds."""
    deadline, count = time.monotonic() + seconds, 0
    while (left := deadline - time.monotonic()) > 0:
        try:
            message = json.loads(client.recv(timeout=left))
        except TimeoutError:
            break
        count += sum(event["kind"] == "reading" for event in message if isinstance(message, list))
    return count


@pytest.mark.row(18)
def test_a_thousand_connects_and_disconnects_leave_nothing(gateway: GatewayProcess, record_property):
    process = psutil.Process(gateway.process.pid)
    come_and_go(gateway, CONNECTS // 10)  # what is made once is made now
    settled(process)
    descriptors, memory, threads = process.num_fds(), process.memory_info().rss, process.num_threads()
    began = time.monotonic()
    come_and_go(gateway, CONNECTS)
    seconds = time.monotonic() - began
    until(lambda: process.num_fds() <= descriptors + 2, 30, f"descriptors back at {descriptors}")
    until(lambda: figure(gateway, "emotii_gateway_viewers") == 0, 30, "no viewer")
    until(lambda: figure(gateway, "emotii_gateway_websocket_clients") == 0, 30, "no client")
    grown = process.memory_info().rss - memory
    record_property(
        "figures",
        f"{CONNECTS} in {seconds:.0f} s, descriptors {descriptors} -> {process.num_fds()}, {grown / 1e6:+.1f} MB",
    )
    # asyncio's pool for calls that block begins its threads as they are needed, and keeps them.
    assert process.num_threads() <= threads + (os.cpu_count() or 1) + 4
    assert grown < 20e6


def come_and_go(gateway: GatewayProcess, times: int) -> None:
    """Half of them watch the video, half receive events; some close in order, others reset the connection."""
    for number in range(times):
        if number % 2:
            viewer = stalled_viewer(gateway.port)
            assert viewer.recv(12) == b"HTTP/1.1 200"
        else:
            viewer = stalled_client(gateway.port)
            assert viewer.recv(12) == b"HTTP/1.1 101"
        if number % 4 < 2:
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        viewer.close()


def settled(process: psutil.Process) -> None:
    """Wait until the number of descriptors stays."""
    last, since = process.num_fds(), time.monotonic()
    deadline = since + 30
    while time.monotonic() < deadline and time.monotonic() - since < 2:
        if (now := process.num_fds()) != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)


@pytest.mark.row(19)
@pytest.mark.short
def test_a_gateway_with_stalled_viewers_ends_in_time(gateway: GatewayProcess, record_property):
    with stalled_viewer(gateway.port), stalled_client(gateway.port):
        until(lambda: figure(gateway, "emotii_gateway_viewers") == 1, 20, "the viewer")
        time.sleep(2)  # until its socket is full
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(3 * END_SECONDS) == 0
        record_property("figures", f"exit after {time.monotonic() - began:.1f} s")
    assert "Traceback" not in gateway.log.read_text()
