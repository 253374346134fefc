"""The CPU time of a crop through Redis and a worker without an engine, under different loads."""

import signal
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from benchmarks.measuring.measure import Sample, Size, alternate, timed
from benchmarks.measuring.processes import Processes
from benchmarks.testbed.crop_generator import CropGenerator
from benchmarks.testbed.testbed import Testbed, until
from contract import keys

AT_ONCE = 64
"""Crops that are sent and awaited before the next: no backlog, but full batches."""


class WorkerCosts:
    """Microseconds of worker and Redis per crop: for each load, one figure per round.

    Args:
        here: a testbed without services.
        size: determines the number of crops per figure.
    """

    def __init__(self, here: Testbed, size: Size) -> None:
        self._client = here.clients.commands
        self._worker = here.start("worker", "benchmarks.testbed.sleeping_worker", sleep="0s")
        until(lambda: self._client.hlen(keys.WORKERS), what="a worker")
        self._processes: Processes = here.processes()
        self._size = size
        self._crops = size.of(200, 1_000, 20_000)

    def by_sources(self, counts: Iterable[int]) -> dict[int, list[float]]:
        """By number of sources; each frame is of the next source."""
        return self._each({count: CropGenerator(self._client, sources=count) for count in counts}, self._crops)

    def by_faces(self, counts: Iterable[int]) -> dict[int, list[float]]:
        """By number of faces per frame."""
        return self._each({count: CropGenerator(self._client, faces=count) for count in counts}, self._crops)

    def by_backlog(self, counts: Iterable[int]) -> dict[int, list[float]]:
        """By number of crops that wait when the worker starts; 0 without a backlog."""
        supply = CropGenerator(self._client)
        supply.announce()
        ways = {count: partial(self._backlog, supply, count) for count in counts}
        return self._measured(ways, supply.deregister)

    def _each(self, supplies: dict[int, CropGenerator], crops: int) -> dict[int, list[float]]:
        found: dict[int, list[float]] = {}
        for count, supply in supplies.items():
            supply.announce()
            found |= self._measured({count: partial(self._backlog, supply, crops)}, supply.deregister)
        return found

    def _measured(
        self, ways: Mapping[int, Callable[[], Sample]], deregister: Callable[[], None]
    ) -> dict[int, list[float]]:
        named = {str(count): way for count, way in ways.items()}
        samples = alternate(named, self._size.rounds, warm_up=True)
        deregister()
        return {count: [sample.cpu_us_each for sample in samples[str(count)]] for count in ways}

    def _backlog(self, supply: CropGenerator, count: int) -> Sample:
        """Fill the stream with `count` crops and drain it, repeatedly until there are enough crops for a figure."""

        def work() -> float:
            done = 0
            while done < max(self._crops, count):
                if count:
                    self._freeze(signal.SIGSTOP)
                    done += supply.send(count)
                    self._freeze(signal.SIGCONT)
                else:
                    done += supply.send(AT_ONCE)
                supply.await_outcomes()
            supply.clear()
            return done

        return timed(work, self._processes.all_cpu_seconds)

    def _freeze(self, number: signal.Signals) -> None:
        assert self._worker.process is not None  # noqa: S101 - for mypy; it was started
        self._worker.process.send_signal(number)
