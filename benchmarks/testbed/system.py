"""The whole system while it captures sources: its work in a period, and the cost of each process."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.measuring.measure import Sample
from benchmarks.measuring.processes import Processes, differences
from benchmarks.testbed.testbed import Testbed, testbed, until
from contract import keys
from contract.messages import SourceStatus

SETTLE_SECONDS = 2.0
"""Between the first viewer and the first measurement."""


@dataclass(frozen=True)
class Observation:
    """The work and the cost of a period."""

    frames: int
    """Processed, of all sources."""
    skipped: int
    faces: int
    wall_s: float
    cpu_s: Mapping[str, float]
    """By process."""

    @property
    def sample(self) -> Sample:
        """The frames as a count, with the CPU seconds of all processes."""
        return Sample(self.frames, self.wall_s, sum(self.cpu_s.values()))


class System:
    """Everything that `emotii up` runs, on one testbed."""

    def __init__(self, here: Testbed, sources: Mapping[str, str]) -> None:
        self.testbed = here
        self._names = tuple(sources)
        self.processes: Processes = here.processes()

    def observe(self, seconds: float) -> Observation:
        """Measure it for `seconds`."""
        before, outcomes = self.statuses(), self._outcomes()
        cpu, started = self.processes.cpu_seconds(), time.perf_counter()
        time.sleep(seconds)
        wall, spent = time.perf_counter() - started, differences(self.processes.cpu_seconds(), cpu)
        added, now = self._outcomes() - outcomes, self.statuses()
        frames = round(sum(_rate(one, other) for one, other in zip(before, now, strict=True)) * wall)
        skipped = sum(other.skipped - one.skipped for one, other in zip(before, now, strict=True))
        return Observation(frames, skipped, max(0, added - frames), wall, spent)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Suspend it for the duration of the context, and wait until it works again."""
        with self.processes.suspended():
            yield
        before = self._outcomes()
        until(lambda: self._outcomes() > before, what="the resumed system")
        time.sleep(SETTLE_SECONDS)

    def statuses(self) -> list[SourceStatus]:
        """The statuses of the sources, at most about a second old."""
        found = self.testbed.clients.commands.hmget(keys.SOURCES, list(self._names))
        return [SourceStatus.model_validate_json(status) for status in found if status]

    def _outcomes(self) -> int:
        """Outcomes since the start: one per face and one per frame."""
        streams = (self.testbed.clients.commands.xinfo_stream(keys.results(name)) for name in self._names)
        return sum(int(stream["entries-added"]) for stream in streams)


def _rate(before: SourceStatus, now: SourceStatus) -> float:
    """Frames per second between two statuses of a source."""
    return 1000 * (now.frames - before.frames) / max(1, now.seen_ms - before.seen_ms)


@contextmanager
def system(sources: Mapping[str, str], viewers: int, **settings: object) -> Iterator[System]:
    """The system with these sources, all online, and viewers of the video.

    Args:
        sources: addresses by name.
        viewers: their number.
        settings: of all services, as for `Testbed.start`.
    """
    with testbed() as here:
        listed = ",".join(f"{name}={address}" for name, address in sources.items())
        url = here.start_system(listed, **settings)
        running = System(here, sources)
        until(lambda: _all_read(running, len(sources)), what="readings of all sources")
        with _viewers(int(url.rpartition(":")[2]), viewers):
            time.sleep(SETTLE_SECONDS)
            yield running


def _all_read(running: System, count: int) -> bool:
    statuses = running.statuses()
    results = running.testbed.clients.commands.exists(*(keys.results(one.name) for one in statuses)) if statuses else 0
    return results == count and all(one.state == "ONLINE" for one in statuses)


@contextmanager
def _viewers(port: int, viewers: int) -> Iterator[None]:
    if not viewers:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.testbed.load_clients", str(port), "0", str(viewers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as viewing:
        if viewing.stdout is None or viewing.stdout.readline() != "there\n":
            raise RuntimeError("no viewer connected")
        yield
        viewing.communicate()
