from urllib.request import urlopen

from contract.health import ask, served


def test_health_says_whether_the_service_is_alive():
    alive = True
    with served("127.0.0.1", 0, lambda: alive) as port:
        assert ask(f"http://127.0.0.1:{port}/healthz")
        alive = False
        assert not ask(f"http://127.0.0.1:{port}/healthz")


def test_metrics_are_served_beside_it():
    with served("127.0.0.1", 0, lambda: True) as port, urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"python_info" in answer.read()


def test_a_service_that_is_gone_is_not_healthy():
    with served("127.0.0.1", 0, lambda: True) as port:
        pass
    assert not ask(f"http://127.0.0.1:{port}/healthz")
