"""Host headers."""

import pytest

from contract.service.host_header import host_name, may_be_rebound


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:5000", "localhost"),
        ("127.0.0.1:5000", "127.0.0.1"),
        ("[::1]:5000", "[::1]"),
        ("[::1]", "[::1]"),
        ("evil.example:5000", "evil.example"),
        ("localhost:5000@evil.example", "localhost:5000@evil.example"),
        ("", ""),
    ],
)
def test_the_port_is_removed_from_the_name_in_a_host_header(host: str, name: str):
    assert host_name(host) == name


@pytest.mark.parametrize("name", ["", "localhost", "gateway", "my-host_1", "127.0.0.1", "[::1]", "[2001:db8::7]"])
def test_addresses_and_names_without_a_dot_cannot_be_rebound(name: str):
    assert not may_be_rebound(name)


@pytest.mark.parametrize("name", ["elsewhere.example", "127.0.0.1.elsewhere.example", "host.", "a@b", "127.1"])
def test_any_other_name_may_be_somebody_elses(name: str):
    assert may_be_rebound(name)
