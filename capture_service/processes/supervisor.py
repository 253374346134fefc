"""The parent of the capturing processes: one child a source, so that one bad camera cannot slow or end another."""

import time
from collections.abc import Callable, Collection, Sequence
from itertools import count
from threading import Event

import structlog

from capture_service.processes.source_process import SourceProcess
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import UPLOADED, SourceSpec
from capture_service.watchdog import LONGEST_TURN_SECONDS, Watchdog
from contract.keys import UPLOADS

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 3.5
"""For children to end in order; afterwards they are killed."""
HUNG_TURNS = 1.5
"""A child is killed when its turn takes so many times the longest one."""


class ProcessSupervisor:
    """Starts a child for every source, and again when it died or hangs; ends those of sources that nobody wants more.

    Args:
        specs: what the configuration names.
        longest_turn: seconds that a turn of a child may take; then it counts as hung.
        added: asked at every turn for what is wanted beside `specs`.
        on_ended: called with the name of an added source when its child has ended because it is wanted no more.
        handed_in: whether pictures were handed in, so that their source needs a child, too; from then on for good.
    """

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        settings: CaptureSettings,
        longest_turn: float = LONGEST_TURN_SECONDS,
        added: Callable[[], Collection[SourceSpec]] = tuple,
        on_ended: Callable[[str], None] = lambda _: None,
        handed_in: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._longest_turn = longest_turn
        self._pulse = Watchdog(longest_turn)
        self._patience = longest_turn * (HUNG_TURNS - 1)
        self._configured = {spec.name: self._child(spec, order) for order, spec in enumerate(specs)}
        self._order_of_uploads = len(specs)
        self._handed_in = handed_in
        self._asked_for = added
        self._on_ended = on_ended
        self._added: dict[str, SourceProcess] = {}
        self._leaving: dict[str, tuple[SourceProcess, float]] = {}
        """With the time at which one that has not ended is killed."""
        self._told: set[str] = set()

    def alive(self) -> bool:
        """Whether this process and every child turn."""
        return self._pulse.alive() and all(child.pulse.alive() for child in self._children())

    def run(self, stop: Event) -> None:
        """Keep all of them running until `stop` is set, then end them in order."""
        try:
            while not stop.is_set():
                self._look()
                stop.wait(LOOK_SECONDS)
        finally:
            self._end()

    def _look(self) -> None:
        if not self._pulse.alive():
            # This process was stopped itself, from the keyboard maybe, and its children with it: they are not hung.
            for child in self._children():
                child.pulse.beat()
        self._pulse.beat()
        if UPLOADS not in self._configured and self._handed_in():
            self._configured = {**self._configured, UPLOADS: self._child(UPLOADED, self._order_of_uploads)}
        self._follow({spec.name: spec for spec in self._asked_for()})
        self._see_off()
        for child in self._children():
            child.look(self._patience)

    def _follow(self, wanted: dict[str, SourceSpec]) -> None:
        """Begin and end children as `wanted` asks, and leave the others alone."""
        taken = {*self._configured, UPLOADS}
        for name in taken & wanted.keys() - self._told:
            logger.warning("a source was added whose name the configuration has taken", source=name)
            self._told.add(name)
        for name, child in self._added.items():
            if wanted.get(name) != child.spec:
                child.terminate()
                self._leaving[name] = child, time.monotonic() + PATIENCE_SECONDS
        # A new dictionary at each change: another thread may be going through the one before.
        self._added = {name: child for name, child in self._added.items() if name not in self._leaving}
        for name in wanted.keys() - self._added.keys() - self._leaving.keys() - taken:
            self._added = {**self._added, name: self._child(wanted[name], self._free_order())}

    def _see_off(self) -> None:
        for name, (child, deadline) in tuple(self._leaving.items()):
            if time.monotonic() > deadline:
                child.wait(0)
            if not child.alive:
                del self._leaving[name]
                logger.info("captured no more", source=name)
                self._on_ended(name)

    def _end(self) -> None:
        leaving = [child for child, _ in self._leaving.values()]
        for child in self._children():
            child.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for child in [*self._children(), *leaving]:
            child.wait(max(0.0, deadline - time.monotonic()))

    def _children(self) -> list[SourceProcess]:
        return [*self._configured.values(), *self._added.values()]

    def _child(self, spec: SourceSpec, order: int) -> SourceProcess:
        return SourceProcess(spec, order, self._settings, self._longest_turn)

    def _free_order(self) -> int:
        """The first place behind the configured sources that no other has; its port for metrics is free, too."""
        taken = {child.order for child in [*self._added.values(), *(child for child, _ in self._leaving.values())]}
        return next(order for order in count(self._order_of_uploads + 1) if order not in taken)
