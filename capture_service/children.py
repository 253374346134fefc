"""The parent of the capturing processes: one child a source, so that one bad camera cannot slow or end another."""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from threading import Event

import structlog

from capture_service.address import SourceSpec
from capture_service.child import capture
from capture_service.pulse import LONGEST_TURN_SECONDS, Pulse
from capture_service.settings import CaptureSettings
from contract.broker import Backoff
from contract.keys import UPLOADS

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 3.5
"""For all children to end in order; afterwards they are killed."""
START_SECONDS = 60.0
"""How much longer than other turns the first one of a child may take: it loads OpenCV and a network before."""
HUNG_TURNS = 1.5
"""A child is killed when its turn takes so many times the longest one."""
STEADY_SECONDS = 30.0
"""A child that lived this long is started again without the pauses of earlier failures."""


class Children:
    """Starts a child for every source, and again when it died or hangs.

    Args:
        longest_turn: seconds that a turn of a child may take; then it counts as hung.
    """

    def __init__(
        self, specs: Sequence[SourceSpec], settings: CaptureSettings, longest_turn: float = LONGEST_TURN_SECONDS
    ) -> None:
        all_specs = [*specs, SourceSpec(UPLOADS, "inbox", "")]
        self._pulse = Pulse(longest_turn)
        self._patience = longest_turn * (HUNG_TURNS - 1)
        self._children = [_Child(spec, order, settings, longest_turn) for order, spec in enumerate(all_specs)]

    def alive(self) -> bool:
        """Whether this process and every child turn."""
        return self._pulse.alive() and all(child.pulse.alive() for child in self._children)

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
            for child in self._children:
                child.pulse.beat()
        self._pulse.beat()
        for child in self._children:
            child.look(self._patience)

    def _end(self) -> None:
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for child in self._children:
            child.wait(max(0.0, deadline - time.monotonic()))


class _Child:
    """The process of one source."""

    def __init__(self, spec: SourceSpec, order: int, settings: CaptureSettings, longest_turn: float) -> None:
        self.pulse = Pulse(longest_turn)
        self._arguments = (spec, order, settings, self.pulse)
        self._name = spec.name
        self._process: BaseProcess | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=10.0)

    def look(self, patience: float) -> None:
        """Start it if it is time to; end it if it has not turned for so many seconds more than it may."""
        now = time.monotonic()
        if self._process is not None and self._process.is_alive() and not self.pulse.alive(patience):
            logger.warning("capture hangs, killed", source=self._name)
            self._kill(self._process)
        if self._process is not None and not self._process.is_alive():
            self._bury(self._process, now)
        if self._process is None:
            self.pulse.beat(START_SECONDS)
            if now >= self._next_start:
                self._start(now)

    def _start(self, now: float) -> None:
        # Spawned, not forked: a fork would copy OpenCV's and gRPC's locks as they happen to be.
        self._process = multiprocessing.get_context("spawn").Process(
            target=capture, args=self._arguments, name=f"capture-{self._name}"
        )
        self._process.start()
        self._started = now

    def _bury(self, process: BaseProcess, now: float) -> None:
        if now - self._started > STEADY_SECONDS:
            self._backoff.reset()
        pause = self._backoff.next()
        exit_code = process.exitcode
        logger.warning("capture ended, starts again", source=self._name, exit_code=exit_code, seconds=round(pause, 1))
        process.close()
        self._process, self._next_start = None, now + pause

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        if self._process is None:
            return
        self._process.join(seconds)
        if self._process.is_alive():
            logger.warning("capture does not end, killed", source=self._name)
            self._kill(self._process)

    def _kill(self, process: BaseProcess) -> None:
        process.kill()
        process.join()
