"""Log lines that requests cause are limited, and the log says how many are left out."""

import json

import structlog

from contract.service.log_limit import LINES, SECONDS, LineLimiter
from contract.service.logs import configure


def test_a_kind_of_line_is_written_some_times_a_minute_and_then_says_how_many_were_left_out():
    now = 0.0
    limiter = LineLimiter(monotonic=lambda: now)
    assert [limiter.admit("a") for _ in range(LINES)] == [0] * LINES
    assert [limiter.admit("a") for _ in range(1000)] == [None] * 1000
    assert limiter.admit("b") == 0
    now = SECONDS
    assert limiter.admit("a") == 1000
    assert limiter.admit("a") == 0


def test_kinds_without_number_take_bounded_memory():
    limiter = LineLimiter()
    for number in range(10_000):
        limiter.admit(number)
    assert len(limiter._kinds) <= 1000


def test_a_logger_for_requests_is_limited_and_others_are_not(capsys):
    configure(service="test", as_json=True)
    requests, others = structlog.get_logger(per_request=True), structlog.get_logger()
    for number in range(LINES * 5):
        requests.warning("refused", number=number)
        others.warning("changed", number=number)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert sum(line["event"] == "changed" for line in lines) == LINES * 5
    refused = [line for line in lines if line["event"] == "refused"]
    assert len(refused) == LINES
    assert "further lines" in refused[-1]["note"]
    assert all("per_request" not in line for line in lines)
