import pytest
from starlette.datastructures import Headers

from api_gateway.security.guard import same_origin


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
