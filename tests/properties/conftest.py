"""How many examples: few with every run, many with `make test-properties`."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

SLOW_MACHINES = [HealthCheck.too_slow]

settings.register_profile("few", max_examples=25, deadline=None, database=None, suppress_health_check=SLOW_MACHINES)
settings.register_profile("many", max_examples=5_000, deadline=None, suppress_health_check=SLOW_MACHINES)
settings.load_profile("few")


@pytest.fixture(autouse=True, scope="module")
def nothing_waits_for_the_disk() -> Iterator[None]:
    """Data of these tests need not survive a power cut, and syncing a busy disk is slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield
