import socket
import time
from urllib.request import urlopen

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
