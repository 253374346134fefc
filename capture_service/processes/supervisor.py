"""Supervises the capture processes: one for each source, so that a bad camera cannot slow down or end another."""

import time
from collections.abc import Callable, Collection, Sequence
from itertools import count
from threading import Event

import structlog

from capture_service.processes.source_process import SourceProcess
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import UPLOADED, SourceSpec
from capture_service.watchdog import LONGEST_TURN_SECONDS, Watchdog

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
STOP_SECONDS = 3.5
"""How long processes may take to end in order; then they are killed."""
HUNG_TURNS = 1.5
"""A process is killed when its turn takes this many times the longest turn."""


class ProcessSupervisor:
    """Runs one process for each source.

    - It starts a process for every configured source, for uploaded pictures and for every added source.
    - It starts a process again that died or hangs.
    - It ends the process of an added source that was removed.

    Args:
        specs: the configured sources.
        settings: of every process.
        longest_turn: seconds that a turn of a process may take; after that the process counts as hung.
        added: returns the added sources; called at every poll.
        on_ended: called with the name of an added source when its process has ended because the source was removed.
    """

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        settings: CaptureSettings,
        longest_turn: float = LONGEST_TURN_SECONDS,
        added: Callable[[], Collection[SourceSpec]] = tuple,
        on_ended: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._longest_turn = longest_turn
        self._watchdog = Watchdog(longest_turn)
        self._tolerance = longest_turn * (HUNG_TURNS - 1)
        self._configured = {spec.name: self._process(spec, order) for order, spec in enumerate([*specs, UPLOADED])}
        self._added_sources = added
        self._on_ended = on_ended
        self._added: dict[str, SourceProcess] = {}
        self._ending: dict[str, tuple[SourceProcess, float]] = {}
        """Processes of removed sources, each with the time at which it is killed."""
        self._reported: set[str] = set()

    def alive(self) -> bool:
        """Whether this process and every child process turn."""
        return self._watchdog.alive() and all(process.watchdog.alive() for process in self._processes())

    def run(self, stop: Event) -> None:
        """Keep all processes running until `stop` is set, then end them in order."""
        try:
            while not stop.is_set():
                self._poll()
                stop.wait(POLL_SECONDS)
        finally:
            self._end()

    def _poll(self) -> None:
        if not self._watchdog.alive():
            # This process was suspended, maybe from the keyboard, and its children with it: they do not hang.
            for process in self._processes():
                process.watchdog.feed()
        self._watchdog.feed()
        self._update({spec.name: spec for spec in self._added_sources()})
        self._finish_ending()
        for process in self._processes():
            process.poll(self._tolerance)

    def _update(self, added: dict[str, SourceSpec]) -> None:
        """Start and end the processes of added sources; other processes stay as they are."""
        for name in self._configured.keys() & added.keys() - self._reported:
            logger.warning("an added source has the name of a configured one", source=name)
            self._reported.add(name)
        for name, process in self._added.items():
            if added.get(name) != process.spec:
                process.terminate()
                self._ending[name] = process, time.monotonic() + STOP_SECONDS
        # A new dictionary at each change: another thread may be iterating over the old one.
        self._added = {name: process for name, process in self._added.items() if name not in self._ending}
        for name in added.keys() - self._added.keys() - self._ending.keys() - self._configured.keys():
            self._added = {**self._added, name: self._process(added[name], self._free_order())}

    def _finish_ending(self) -> None:
        for name, (process, deadline) in tuple(self._ending.items()):
            if time.monotonic() > deadline:
                process.wait(0)
            if not process.alive:
                del self._ending[name]
                logger.info("capture stopped, the source was removed", source=name)
                self._on_ended(name)

    def _end(self) -> None:
        ending = [process for process, _ in self._ending.values()]
        for process in self._processes():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in [*self._processes(), *ending]:
            process.wait(max(0.0, deadline - time.monotonic()))

    def _processes(self) -> list[SourceProcess]:
        return [*self._configured.values(), *self._added.values()]

    def _process(self, spec: SourceSpec, order: int) -> SourceProcess:
        return SourceProcess(spec, order, self._settings, self._longest_turn)

    def _free_order(self) -> int:
        """The first place behind the configured sources that is free; its port for metrics is free, too."""
        ending = [process for process, _ in self._ending.values()]
        taken = {process.order for process in [*self._added.values(), *ending]}
        return next(order for order in count(len(self._configured)) if order not in taken)
