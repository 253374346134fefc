import socket
import threading
import time
from contextlib import ExitStack
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from contract.service.health import health_server, is_healthy


def test_health_reports_whether_the_service_is_alive():
    alive = True
    with health_server("127.0.0.1", 0, lambda: alive) as port:
        assert is_healthy(f"http://127.0.0.1:{port}/healthz")
        alive = False
        assert not is_healthy(f"http://127.0.0.1:{port}/healthz")


def test_metrics_are_served_beside_it():
    with health_server("127.0.0.1", 0, lambda: True) as port, urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"python_info" in answer.read()


def test_a_service_that_ended_is_not_healthy():
    with health_server("127.0.0.1", 0, lambda: True) as port:
        pass
    assert not is_healthy(f"http://127.0.0.1:{port}/healthz")


def test_an_idle_connection_delays_neither_the_next_one_nor_the_shutdown():
    with health_server("127.0.0.1", 0, lambda: True) as port:
        idle, half = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
        half.sendall(b"GET /healthz HT")
        assert is_healthy(f"http://127.0.0.1:{port}/healthz")
        ending = time.monotonic()
    assert time.monotonic() - ending < 4
    idle.close()
    half.close()


def test_an_idle_connection_is_closed():
    with (
        health_server("127.0.0.1", 0, lambda: True) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as idle,
    ):
        assert idle.recv(1) == b""


def metrics_for(host: str, allowed_hosts: tuple[str, ...] = ()) -> int:
    """The status of a request for the metrics with this Host header."""
    with health_server("127.0.0.1", 0, lambda: True, allowed_hosts) as port:
        try:
            with urlopen(Request(f"http://127.0.0.1:{port}/metrics", headers={"Host": host}), timeout=20) as answer:
                return answer.status
        except HTTPError as error:
            return error.code


@pytest.mark.parametrize("host", ["127.0.0.1:9100", "10.1.2.3", "[::1]:9100", "localhost", "capture:9100"])
def test_metrics_are_served_by_address_and_within_a_network(host: str):
    assert metrics_for(host) == 200


@pytest.mark.parametrize("host", ["elsewhere.example", "elsewhere.example:9100", "127.0.0.1.elsewhere.example", "a@b"])
def test_metrics_are_not_served_under_a_name_that_somebody_else_may_own(host: str):
    assert metrics_for(host) == 400
    assert metrics_for(host, ("emotii.lan",)) == 400
    assert metrics_for("emotii.lan:9100", ("emotii.lan",)) == 200


def test_many_open_connections_keep_no_health_check_out():
    with health_server("127.0.0.1", 0, lambda: True) as port, ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(200)]
        for connection in opened:
            connection.sendall(b"GET /healthz HT")
        assert is_healthy(f"http://127.0.0.1:{port}/healthz")
        assert threading.active_count() < 150, "each connection has a thread"
