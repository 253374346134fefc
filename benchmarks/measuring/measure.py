"""Ways of doing a thing, measured in turns on the same cores, so that what else the machine does hits all alike."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TypeVar

Choice = TypeVar("Choice")
TICK_SECONDS = 0.01
"""How exactly Linux says what a process has cost."""


class Size(StrEnum):
    """How long a benchmark may take."""

    TINY = "tiny"
    """Every line runs once, in seconds; its figures mean nothing. For the tests."""
    QUICK = "quick"
    """All questions together in two minutes."""
    FULL = "full"
    """What docs/performance.md shows: at least five rounds."""

    def of(self, tiny: Choice, quick: Choice, full: Choice) -> Choice:
        """The one that belongs to this size."""
        return {Size.TINY: tiny, Size.QUICK: quick, Size.FULL: full}[self]

    @property
    def rounds(self) -> int:
        """How often the ways take turns."""
        return self.of(1, 1, 7)


@dataclass(frozen=True)
class Sample:
    """What one turn did and cost.

    Args:
        count: how much was done: faces, frames, events.
        wall_s: seconds by the clock.
        cpu_s: seconds of all cores together, of every process that worked on it.
    """

    count: float
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Count a second by the clock."""
        return self.count / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def per_cpu_second(self) -> float:
        """Count a CPU second."""
        return self.count / self.cpu_s if self.cpu_s > 0 else 0.0

    @property
    def cpu_us_each(self) -> float:
        """CPU microseconds for one. Work that is shorter than a tick of the clock counts as one tick."""
        return 1e6 * max(self.cpu_s, TICK_SECONDS) / self.count

    @property
    def cores(self) -> float:
        """How many cores were busy on average."""
        return self.cpu_s / self.wall_s if self.wall_s > 0 else 0.0


def timed(work: Callable[[], float], cpu_seconds: Callable[[], float] = time.process_time) -> Sample:
    """Do `work` once; it returns how much it did.

    Args:
        work: returns its count.
        cpu_seconds: a clock of CPU seconds; by default that of this process and all its threads.
    """
    wall, cpu = time.perf_counter(), cpu_seconds()
    count = work()
    return Sample(count, time.perf_counter() - wall, cpu_seconds() - cpu)


def alternate(
    ways: Mapping[str, Callable[[], Sample]], rounds: int, *, warm_up: bool = False
) -> dict[str, list[Sample]]:
    """Every way once a round, each round in the opposite order of the one before; the samples of a way by round.

    Args:
        ways: by name; each call is one turn.
        rounds: how many turns each gets.
        warm_up: one turn more before the first, which is thrown away.
    """
    names = list(ways)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    if warm_up:
        for way in ways.values():
            way()
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            samples[name].append(ways[name]())
    return samples


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """Round by round, this one divided by that one: what else the machine did in that round goes out."""
    return [this / that for this, that in zip(these, those, strict=True) if that]


def middle(values: Iterable[float]) -> float:
    """The median; NaN of none."""
    return median(found) if (found := list(values)) else float("nan")


def spread(values: Iterable[float]) -> tuple[float, float] | None:
    """The lowest and the highest; None of fewer than two."""
    found = list(values)
    return (min(found), max(found)) if len(found) > 1 else None
