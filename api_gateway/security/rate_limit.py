"""How often a wrong token may be tried."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

ALLOWED = 10
WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000
"""That are remembered; the one that failed longest ago is forgotten first."""


class AttemptLimiter:
    """Counts wrong tokens by the address they come from.

    Args:
        monotonic: seconds.
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
        """A wrong token came from this address."""
        self._failed.setdefault(address, deque(maxlen=ALLOWED)).append(self._monotonic())
        self._failed.move_to_end(address)
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)
