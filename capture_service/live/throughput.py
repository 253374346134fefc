"""Whether a live source is processed fast enough: skipped frames are normal, a source that is mostly skipped is not."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

WINDOW_SECONDS = 5.0
EVERY_SECONDS = 0.5
ENOUGH_FPS = 5.0
"""With fewer processed frames a second, smoothing and episodes miss changes of expression."""
ENOUGH_SHARE = 0.5


class _Counts(NamedTuple):
    seconds: float
    processed: int
    skipped: int
    held_back: int


class Throughput:
    """Counts the frames of a source over the last seconds.

    Args:
        most_fps: the bound on the frames a second of the source, if there is one: more are skipped on purpose.
        monotonic: seconds.
    """

    def __init__(self, most_fps: float | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most_fps = most_fps
        self._monotonic = monotonic
        self._now = _Counts(monotonic(), 0, 0, 0)
        self._earlier: deque[_Counts] = deque([self._now])

    def count(self, *, processed: int = 0, skipped: int = 0, held_back: int = 0) -> None:
        """Count frames: processed, skipped for a newer one, or held back because crops wait for a worker."""
        _, *before = self._now
        self._now = _Counts(self._monotonic(), before[0] + processed, before[1] + skipped, before[2] + held_back)
        if self._now.seconds - self._earlier[-1].seconds >= EVERY_SECONDS:
            self._earlier.append(self._now)
        while len(self._earlier) > 1 and self._now.seconds - self._earlier[1].seconds >= WINDOW_SECONDS:
            self._earlier.popleft()

    def restart(self) -> None:
        """Forget everything, because the source is opened again."""
        self._now = self._now._replace(seconds=self._monotonic())
        self._earlier = deque([self._now])

    def warning(self) -> str:
        """What is too slow, for people; empty if nothing is, or if too few seconds were counted."""
        first = self._earlier[0]
        seconds = self._now.seconds - first.seconds
        if seconds < WINDOW_SECONDS:
            return ""
        processed, skipped, held_back = (
            (now - then) / seconds for now, then in zip(self._now[1:], first[1:], strict=True)
        )
        wanted = processed + skipped + held_back
        if self._most_fps:
            wanted = min(wanted, self._most_fps)
        if processed >= min(ENOUGH_FPS, ENOUGH_SHARE * wanted):
            return ""
        slow = "inference" if held_back > processed else "capture"  # it analysed frames that no worker could take
        return f"{slow} is too slow: {round(processed, 1):g} of {_rounded(wanted):g} frames/s"


def _rounded(fps: float) -> float:
    return round(fps) if fps >= 10 else round(fps, 1)
