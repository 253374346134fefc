"""Limits how often an address may send a wrong token."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

ALLOWED = 10
WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000
"""The limiter remembers at most so many; it forgets first the one whose last failure is longest ago."""


class AttemptLimiter:
    """Counts wrong tokens by client address.

    Args:
        monotonic: clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try a token again; 0 if it may now."""
        failed = self._failed.get(address)
        if failed is None or len(failed) < ALLOWED:
            return 0.0
        return max(0.0, failed[0] + WINDOW_SECONDS - self._monotonic())

    def count(self, address: str) -> None:
        """Count one wrong token of this address."""
        self._failed.setdefault(address, deque(maxlen=ALLOWED)).append(self._monotonic())
        self._failed.move_to_end(address)
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)
