"""Whether a loop still turns, for health checks."""

import time

LONGEST_TURN_SECONDS = 20.0
"""Longer than a turn that waits for a Redis which does not answer."""


class Pulse:
    """Beats once a turn."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def beat(self) -> None:
        self._last = time.monotonic()

    def alive(self) -> bool:
        """Whether the last turn is not too long ago."""
        return time.monotonic() - self._last < LONGEST_TURN_SECONDS
