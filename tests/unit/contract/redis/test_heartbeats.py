"""The age of a report, also of one that lies in the future since Redis's clock was set back."""

import pytest

from contract.redis import lease
from contract.redis.heartbeats import Heartbeats
from contract.redis.lease import LONGEST_MS, NO_EXPIRY

NOW_MS = 1_800_000_000_000
TWO_HOURS_MS = 2 * 3_600_000


@pytest.fixture
def host():
    return [100.0]


@pytest.fixture
def heartbeats(host):
    return Heartbeats(lambda: host[0])


def test_a_report_is_as_old_as_it_states(heartbeats):
    heartbeats.hear([("front", NOW_MS)])
    assert heartbeats.age_ms("front", NOW_MS, NOW_MS + 700) == 700
    assert heartbeats.age_ms("never heard", NOW_MS, NOW_MS + 700) == 700


def test_a_report_of_the_future_is_as_old_as_it_was_seen_unchanged(heartbeats, host):
    for second in range(8):
        heartbeats.hear([("dead", NOW_MS), ("alive", NOW_MS - TWO_HOURS_MS + 1000 * second)])
        host[0] += 1
    now_ms = NOW_MS - TWO_HOURS_MS + 8000
    assert heartbeats.age_ms("dead", NOW_MS, now_ms) == 8000
    assert heartbeats.age_ms("alive", now_ms - 1000, now_ms) == 1000


def test_a_lease_that_expires_later_than_any_is_left_once_nobody_has_renewed_it_for_long(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(lease.time, "monotonic", lambda: now[0])
    left = lease._Left()
    assert left.is_left(NO_EXPIRY)
    assert not left.is_left(LONGEST_MS)
    assert not left.is_left(TWO_HOURS_MS)
    now[0] += lease.TTL_SECONDS - 1
    assert not left.is_left(TWO_HOURS_MS)
    now[0] += 2
    assert left.is_left(TWO_HOURS_MS)
    assert not left.is_left(LONGEST_MS), "its holder has renewed it"
    assert not left.is_left(TWO_HOURS_MS)
