import pytest
from starlette.datastructures import Headers

from api_gateway.security.guard import host_name, same_origin


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


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:5000"},
        {"origin": "HTTP://LOCALHOST:5000"},
        {"origin": "http://localhost:5000", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_our_own_page_and_programs_are_served(headers: dict[str, str]):
    assert same_origin(Headers({"host": "localhost:5000", **headers}))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost:3000"},
        {"origin": "http://localhost"},
        {"origin": "http://["},
        {"origin": "http://x@localhost:5000"},
        {"origin": "ftp://localhost:5000"},
        {"origin": "http://localhost:5000.evil.example"},
        {"origin": "http://evil.example/localhost:5000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://localhost:5000", "sec-fetch-site": "cross-site"},
    ],
)
def test_requests_of_another_site_are_refused(headers: dict[str, str]):
    assert not same_origin(Headers({"host": "localhost:5000", **headers}))


def test_no_host_matches_no_origin():
    assert not same_origin(Headers({"origin": "null"}))
    assert not same_origin(Headers({"host": "", "origin": "null"}))
