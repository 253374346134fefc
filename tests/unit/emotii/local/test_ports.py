"""The port of the gateway: the wanted one or an error; by default 5000 or the next free one."""

import socket

import pytest

from contract.errors import SettingsError
from emotii.local import ports


@pytest.fixture
def taken() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_wanted_port_that_is_free_is_used(taken: int):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert ports.choose("127.0.0.1", free) == free


def test_a_wanted_port_that_is_taken_is_refused(taken: int):
    with pytest.raises(SettingsError, match=f"port {taken} is taken"):
        ports.choose("127.0.0.1", taken)


def test_by_default_the_next_free_port_is_used(taken: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "DEFAULT", taken)
    assert taken < ports.choose("127.0.0.1", None) < taken + ports.MAX_TRIED


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(SettingsError, match=r"EMOTII_HOST=192\.0\.2\.1"):
        ports.choose("192.0.2.1", None)
