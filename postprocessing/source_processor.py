"""The steady results of one source: outcomes as they are stored go in, ordered readings and episodes come out.

Nothing here looks at a clock or at Redis. The same outcomes with the same stream ids give the same results in every
gateway, and the state can be written down and taken up by another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from contract import events
from contract.messages import Outcome
from contract.messages.fields import LATEST_MS
from postprocessing.parameters import SmoothingParameters
from postprocessing.reorder_buffer import PendingFrame, ReorderBuffer
from postprocessing.track_processor import SmoothedReading, TrackProcessor

LOST_MS = 1000
"""A track without a reading for so long is over: the tracker gives its number to nobody else."""
SILENCE_MS = 3000
"""A live source whose results stop for so long is dead; episodes end, with the time of their last reading."""
SLOW_FRAMES = 3
"""A source that sends rarely gets the time of so many of its frames."""
KEPT_EPOCHS = 4

ProcessorOutput = SmoothedReading | events.Episode


@dataclass
class Epoch:
    """One run of the source."""

    reorder: ReorderBuffer = field(default_factory=ReorderBuffer)
    courses: dict[int, TrackProcessor] = field(default_factory=dict)
    """By track."""
    stored_ms: int = 0
    """When its latest outcome was stored."""
    captured_ms: int | None = None
    """When the latest frame that was handed on was taken."""
    interval_ms: int = 0
    """Between that one and the one before."""

    def patience_ms(self) -> int:
        return max(SILENCE_MS, SLOW_FRAMES * self.interval_ms)


@dataclass
class SourceProcessor:
    """The state of one source."""

    parameters: SmoothingParameters = field(default_factory=SmoothingParameters)
    recorded: bool = False
    """Whether its times are those in a recording, whose results may pause for as long as they like."""
    epochs: dict[str, Epoch] = field(default_factory=dict)
    dropped: int = 0
    """Outcomes that came before, or too late for their place."""
    gaps: int = 0
    """Times that frames which were sent to the workers did not come back."""

    def process(self, entry_ms: int, outcome: Outcome) -> list[ProcessorOutput]:
        """The next entry of the results stream.

        Args:
            entry_ms: when it was stored: the first part of its id.
            outcome: what it says; its source is the one that this state is of.

        Returns:
            What is told from now on, in order: readings, each followed by the changes of its track's episode.
        """
        told = self.advance_time(entry_ms)
        epoch = self._epoch(outcome.id.epoch, told)
        epoch.stored_ms = entry_ms
        if epoch.reorder.add(entry_ms, outcome):
            told += self._release(epoch, entry_ms)
        else:
            self.dropped += 1
        return told

    def advance_time(self, now_ms: int) -> list[ProcessorOutput]:
        """Nothing was stored up to `now_ms`, in Redis's time: what waited long enough is told, what is over ends.

        An entry does the same by its own time, so that it makes no difference who called this how often.
        """
        told: list[ProcessorOutput] = []
        for epoch in self.epochs.values():
            told += self._release(epoch, now_ms)
            if not self.recorded and now_ms - epoch.stored_ms > epoch.patience_ms():
                told += _end(epoch)
        return told

    def end(self) -> list[ProcessorOutput]:
        """There is nothing to come: what waits is told, and every episode ends."""
        return [told for epoch in self.epochs.values() for told in self._close(epoch)]

    def running(self) -> Iterator[events.Episode]:
        """The episodes that run, as updates."""
        for epoch in self.epochs.values():
            for course in epoch.courses.values():
                if course.span:
                    yield course.span.tell("update")

    def _epoch(self, name: str, told: list[ProcessorOutput]) -> Epoch:
        if name not in self.epochs and len(self.epochs) == KEPT_EPOCHS:
            oldest = min(self.epochs, key=lambda one: self.epochs[one].stored_ms)
            told += self._close(self.epochs.pop(oldest))
        return self.epochs.setdefault(name, Epoch())

    def _release(self, epoch: Epoch, now_ms: int) -> list[ProcessorOutput]:
        told: list[ProcessorOutput] = []
        for frame in epoch.reorder.ready(now_ms):
            self.gaps += frame.after_gap
            told += _follow(epoch, frame, self.parameters)
        return told

    def _close(self, epoch: Epoch) -> list[ProcessorOutput]:
        return [*self._release(epoch, LATEST_MS), *_end(epoch)]


def _follow(epoch: Epoch, frame: PendingFrame, parameters: SmoothingParameters) -> Iterator[ProcessorOutput]:
    for stored in frame.in_order():
        reading = stored.reading
        if reading.stale:
            yield SmoothedReading(reading, stored.entry_ms, {}, None)
            continue
        course = epoch.courses.setdefault(reading.face.track, TrackProcessor())
        steady, episodes = course.process(reading, stored.entry_ms, parameters)
        yield steady
        yield from episodes
    if frame.last:
        yield from _end(epoch)
        return
    if epoch.captured_ms is not None:
        epoch.interval_ms = max(0, frame.captured_ms - epoch.captured_ms)
    epoch.captured_ms = frame.captured_ms
    for track, course in list(epoch.courses.items()):
        if frame.captured_ms - course.seen_ms > LOST_MS:
            yield from course.end()
            del epoch.courses[track]


def _end(epoch: Epoch) -> list[ProcessorOutput]:
    courses, epoch.courses, epoch.captured_ms, epoch.interval_ms = epoch.courses, {}, None, 0
    return [episode for course in courses.values() for episode in course.end()]
