"""How long ago other processes reported, also after Redis's clock was set back."""

import time
from collections.abc import Callable, Collection


class Heartbeats:
    """The ages of reports that state when they were written, in Redis's time.

    After Redis's clock was set back, a report of a process that has ended lies in the future for as long. So a report
    is at least as old as this process has seen it unchanged.

    Args:
        monotonic: returns seconds of a clock that is never set.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard: dict[str, tuple[int, float]] = {}
        """By name: the time that the last report states, and when it was first seen here."""

    def hear(self, reports: Collection[tuple[str, int]]) -> None:
        """The reports of all processes as they are now: their names, and the times that they state."""
        now = self._monotonic()
        known = self._heard
        self._heard = {
            name: known[name] if name in known and known[name][0] == seen_ms else (seen_ms, now)
            for name, seen_ms in reports
        }

    def age_ms(self, name: str, seen_ms: int, now_ms: int) -> int:
        """The age of a report that states `seen_ms`, at `now_ms` of Redis's time."""
        stated, since = self._heard.get(name, (seen_ms, None))
        unchanged = 0 if since is None or stated != seen_ms else round(1000 * (self._monotonic() - since))
        return max(now_ms - seen_ms, unchanged)
