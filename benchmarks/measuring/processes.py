"""CPU seconds and memory of running processes, by name, each with its descendants."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psutil

from benchmarks.measuring.measure import Sample

MEGABYTE = 1e6


class Processes:
    """Processes that are measured from outside.

    Args:
        roots: process ids by name. The descendants of a process count as its own, even after they have ended.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = {name: psutil.Process(pid) for name, pid in roots.items()}

    def cpu_seconds(self) -> dict[str, float]:
        """User and system seconds since the start of each, by name."""
        return {name: sum(map(_cpu_seconds, _family(root))) for name, root in self._roots.items()}

    def all_cpu_seconds(self) -> float:
        """The sum over all names; a clock for `measure.timed`."""
        return sum(self.cpu_seconds().values())

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Suspend all of them for the duration of the context."""
        family = [process for root in self._roots.values() for process in _family(root)]
        for process in family:
            process.suspend()
        try:
            yield
        finally:
            for process in family:
                process.resume()

    def resident(self) -> dict[str, float]:
        """RSS in MB (10^6 bytes), by name: a page that two processes of a family share counts twice."""
        return self._memory(lambda process: float(process.memory_info().rss))

    def proportional(self) -> dict[str, float]:
        """PSS in MB, by name: a page that n processes share counts 1/n in each. Linux only, else the RSS."""
        return self._memory(
            lambda process: float(getattr(process.memory_full_info(), "pss", process.memory_info().rss))
        )

    def _memory(self, of: Callable[[psutil.Process], float]) -> dict[str, float]:
        def one(process: psutil.Process) -> float:
            try:
                return of(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                return 0.0

        return {name: sum(map(one, _family(root))) / MEGABYTE for name, root in self._roots.items()}


def differences(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """The difference of two measurements, by name."""
    return {name: value - before[name] for name, value in after.items()}


def samples(count: float, wall_s: float, cpu_s: Mapping[str, float]) -> dict[str, Sample]:
    """One sample per process, for the work that they did together."""
    return {name: Sample(count, wall_s, seconds) for name, seconds in cpu_s.items()}


def _family(root: psutil.Process) -> Iterator[psutil.Process]:
    yield root
    try:
        yield from root.children(recursive=True)
    except psutil.NoSuchProcess:
        return


def _cpu_seconds(process: psutil.Process) -> float:
    """Including those of children that have ended and were waited for."""
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
