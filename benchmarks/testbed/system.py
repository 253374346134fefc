"""The whole system while it watches sources: what it does in a while, and what each process of it costs."""

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
"""After the first viewer is there, before anything is counted."""


@dataclass(frozen=True)
class Watch:
    """What happened in a while."""

    frames: int
    """Looked at, of all sources."""
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
    """Everything that `emotii up` runs, on one stage."""

    def __init__(self, here: Testbed, sources: Mapping[str, str]) -> None:
        self.testbed = here
        self._names = tuple(sources)
        self.processes: Processes = here.processes()

    def watch(self, seconds: float) -> Watch:
        """Let it work for a while."""
        told, outcomes = self.statuses(), self._outcomes()
        cpu, started = self.processes.cpu_seconds(), time.perf_counter()
        time.sleep(seconds)
        wall, spent = time.perf_counter() - started, differences(self.processes.cpu_seconds(), cpu)
        added, now = self._outcomes() - outcomes, self.statuses()
        frames = round(sum(_rate(one, other) for one, other in zip(told, now, strict=True)) * wall)
        skipped = sum(other.skipped - one.skipped for one, other in zip(told, now, strict=True))
        return Watch(frames, skipped, max(0, added - frames), wall, spent)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """It stands still meanwhile; afterwards it gets the time to find back to work."""
        with self.processes.suspended():
            yield
        before = self._outcomes()
        until(lambda: self._outcomes() > before, what="the system, after its rest,")
        time.sleep(SETTLE_SECONDS)

    def statuses(self) -> list[SourceStatus]:
        """What the sources say of themselves, about a second old at most."""
        found = self.testbed.clients.commands.hmget(keys.SOURCES, list(self._names))
        return [SourceStatus.model_validate_json(status) for status in found if status]

    def _outcomes(self) -> int:
        """Since the start: one of each face and one of each frame."""
        streams = (self.testbed.clients.commands.xinfo_stream(keys.results(name)) for name in self._names)
        return sum(int(stream["entries-added"]) for stream in streams)


def _rate(before: SourceStatus, now: SourceStatus) -> float:
    """Frames a second between two words of a source, which it gives about once a second."""
    return 1000 * (now.frames - before.frames) / max(1, now.seen_ms - before.seen_ms)


@contextmanager
def system(sources: Mapping[str, str], viewers: int, **settings: object) -> Iterator[System]:
    """The system with these sources, all of them online, and so many viewers of the video.

    Args:
        sources: name to address.
        viewers: how many.
        settings: of all services, as `Testbed.start` takes them.
    """
    with testbed() as here:
        listed = ",".join(f"{name}={address}" for name, address in sources.items())
        url = here.start_system(listed, **settings)
        running = System(here, sources)
        until(lambda: _all_read(running, len(sources)), what="readings of all sources")
        with _crowd(int(url.rpartition(":")[2]), viewers):
            time.sleep(SETTLE_SECONDS)
            yield running


def _all_read(running: System, count: int) -> bool:
    told = running.statuses()
    results = running.testbed.clients.commands.exists(*(keys.results(one.name) for one in told)) if told else 0
    return results == count and all(one.state == "ONLINE" for one in told)


@contextmanager
def _crowd(port: int, viewers: int) -> Iterator[None]:
    if not viewers:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.testbed.load_clients", str(port), "0", str(viewers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        if crowd.stdout is None or crowd.stdout.readline() != "there\n":
            raise RuntimeError("no viewer came")
        yield
        crowd.communicate()
