"""Measuring alternatives in turns on the same cores, so that other load of the machine affects all of them."""

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
    """Every line runs once, in seconds; the figures are meaningless. For tests."""
    QUICK = "quick"
    """All questions together take two minutes."""
    FULL = "full"
    """The figures of docs/performance.md: at least five rounds."""

    def of(self, tiny: Choice, quick: Choice, full: Choice) -> Choice:
        """The value for this size."""
        return {Size.TINY: tiny, Size.QUICK: quick, Size.FULL: full}[self]

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return self.of(1, 1, 7)


@dataclass(frozen=True)
class Sample:
    """The work and the cost of one turn.

    Args:
        count: the amount of work: faces, frames, events.
        wall_s: elapsed seconds.
        cpu_s: CPU seconds of every process that took part.
    """

    count: float
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Count per elapsed second."""
        return self.count / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def per_cpu_second(self) -> float:
        """Count per CPU second."""
        return self.count / self.cpu_s if self.cpu_s > 0 else 0.0

    @property
    def cpu_us_each(self) -> float:
        """CPU microseconds for one. Work that is shorter than a tick of the clock counts as one tick."""
        return 1e6 * max(self.cpu_s, TICK_SECONDS) / self.count

    @property
    def cores(self) -> float:
        """The average number of busy cores."""
        return self.cpu_s / self.wall_s if self.wall_s > 0 else 0.0


def timed(work: Callable[[], float], cpu_seconds: Callable[[], float] = time.process_time) -> Sample:
    """Run `work` once, and measure it.

    Args:
        work: returns the count.
        cpu_seconds: a clock of CPU seconds; by default that of this process with all its threads.
    """
    wall, cpu = time.perf_counter(), cpu_seconds()
    count = work()
    return Sample(count, time.perf_counter() - wall, cpu_seconds() - cpu)


def alternate(
    ways: Mapping[str, Callable[[], Sample]], rounds: int, *, warm_up: bool = False
) -> dict[str, list[Sample]]:
    """Run every way once per round, each round in the reverse order of the previous one; returns the samples by way.

    Args:
        ways: by name; each call is one turn.
        rounds: the number of turns of each.
        warm_up: whether an additional first turn is run and discarded.
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
    """The ratio of each round, which cancels other load of the machine in that round."""
    return [this / that for this, that in zip(these, those, strict=True) if that]


def middle(values: Iterable[float]) -> float:
    """The median; NaN without values."""
    return median(found) if (found := list(values)) else float("nan")


def spread(values: Iterable[float]) -> tuple[float, float] | None:
    """The lowest and the highest value; None for fewer than two."""
    found = list(values)
    return (min(found), max(found)) if len(found) > 1 else None
