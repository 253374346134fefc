"""Whether a loop still turns, for health checks and for the process that started this one."""

import multiprocessing
import time

LONGEST_TURN_SECONDS = 20.0
"""Longer than a turn that waits for a Redis which does not answer."""


class Pulse:
    """Beats once a turn. A child process that is given one shares it with its parent.

    Args:
        longest_turn: after so many seconds without a beat it counts as not alive.
    """

    def __init__(self, longest_turn: float = LONGEST_TURN_SECONDS) -> None:
        self._longest_turn = longest_turn
        # Without a lock: who is killed while holding it would hang the other. The monotonic clock is the whole host's.
        self._last = multiprocessing.get_context("spawn").RawValue("d", time.monotonic())

    def beat(self, ahead: float = 0.0) -> None:
        """The loop turns; the next turn may take `ahead` seconds longer than others."""
        self._last.value = time.monotonic() + ahead

    def alive(self, patience: float = 0.0) -> bool:
        """Whether the last turn is not too long ago; `patience` in seconds allows for more."""
        return bool(time.monotonic() - self._last.value < self._longest_turn + patience)
