"""Waiting, with the patience that a machine with much else to do asks for."""

from collections.abc import Callable

from tests.inference import until as until_within

SECONDS = 90.0
"""For what has no promised time of its own, such as the start of a process."""
TEST_SECONDS = 400
"""After which pytest ends a test."""


def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds; fail after 90 s."""
    until_within(condition, SECONDS)
