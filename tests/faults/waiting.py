"""Waiting for a condition, with deadlines that a busy machine can meet."""

from collections.abc import Callable

from tests.inference import until as until_within

SECONDS = 90.0
"""The deadline of events without a promised time, such as the start of a process."""
TEST_SECONDS = 400
"""After which pytest ends a test."""


def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds; fail after 90 s."""
    until_within(condition, SECONDS)
