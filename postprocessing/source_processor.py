"""The smoothed results of one source: from outcomes in the order of storage to ordered readings and episodes.

Nothing here reads a clock or Redis. The same outcomes with the same stream ids give the same results in every gateway,
and the state can be stored and resumed by another gateway.
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
"""A track without a reading for so long has ended; the tracker does not reuse its number."""
SILENCE_MS = 3000
"""A live source without results for so long is dead; its episodes end, with the time of their last reading."""
SLOW_FRAMES = 3
"""A source with a low frame rate gets the time of so many of its frames instead."""
KEPT_EPOCHS = 4

ProcessorOutput = SmoothedReading | events.Episode


@dataclass
class Epoch:
    """One opening of the source."""

    buffer: ReorderBuffer = field(default_factory=ReorderBuffer)
    tracks: dict[int, TrackProcessor] = field(default_factory=dict)
    """By the number of the track."""
    stored_ms: int = 0
    """When its latest outcome was stored."""
    captured_ms: int | None = None
    """When the latest released frame was captured."""
    interval_ms: int = 0
    """Between that frame and the one before."""

    def silence_limit_ms(self) -> int:
        """After how long without results the source counts as dead."""
        return max(SILENCE_MS, SLOW_FRAMES * self.interval_ms)


@dataclass
class SourceProcessor:
    """The state of one source."""

    parameters: SmoothingParameters = field(default_factory=SmoothingParameters)
    recorded: bool = False
    """Whether it is a recording: its times are those in the recording, and its results may pause for any time."""
    epochs: dict[str, Epoch] = field(default_factory=dict)
    dropped: int = 0
    """The number of duplicates, and of outcomes of frames that were released already."""
    gaps: int = 0
    """How often frames that were sent to the workers did not come back."""

    def process(self, entry_ms: int, outcome: Outcome) -> list[ProcessorOutput]:
        """Process the next entry of the results stream.

        Args:
            entry_ms: when it was stored: the first part of its id.
            outcome: of this source.

        Returns:
            The output in order: readings, each followed by the events of its track's episode.
        """
        output = self.advance_time(entry_ms)
        epoch = self._epoch(outcome.id.epoch, output)
        epoch.stored_ms = entry_ms
        if epoch.buffer.add(entry_ms, outcome):
            output += self._release(epoch, entry_ms)
        else:
            self.dropped += 1
        return output

    def advance_time(self, now_ms: int) -> list[ProcessorOutput]:
        """Release due frames and end episodes: all entries stored up to `now_ms`, in Redis's time, were processed.

        `process` does the same by the time of its entry, so that it makes no difference how often this is called.
        """
        output: list[ProcessorOutput] = []
        for epoch in self.epochs.values():
            output += self._release(epoch, now_ms)
            if not self.recorded and now_ms - epoch.stored_ms > epoch.silence_limit_ms():
                output += _end(epoch)
        return output

    def end(self) -> list[ProcessorOutput]:
        """No more entries come: release all frames and end every episode."""
        return [one for epoch in self.epochs.values() for one in self._close(epoch)]

    def newest_ms(self) -> int:
        """When the latest outcome of the state was stored; 0 if there is none."""
        return max((epoch.stored_ms for epoch in self.epochs.values()), default=0)

    def running(self) -> Iterator[events.Episode]:
        """The running episodes, as updates."""
        for epoch in self.epochs.values():
            for track in epoch.tracks.values():
                if track.episode:
                    yield track.episode.to_event("update")

    def _epoch(self, name: str, output: list[ProcessorOutput]) -> Epoch:
        if name not in self.epochs and len(self.epochs) == KEPT_EPOCHS:
            oldest = min(self.epochs, key=lambda one: self.epochs[one].stored_ms)
            output += self._close(self.epochs.pop(oldest))
        return self.epochs.setdefault(name, Epoch())

    def _release(self, epoch: Epoch, now_ms: int) -> list[ProcessorOutput]:
        output: list[ProcessorOutput] = []
        for frame in epoch.buffer.ready(now_ms):
            self.gaps += frame.after_gap
            output += _process(epoch, frame, self.parameters)
        return output

    def _close(self, epoch: Epoch) -> list[ProcessorOutput]:
        return [*self._release(epoch, LATEST_MS), *_end(epoch)]


def _process(epoch: Epoch, frame: PendingFrame, parameters: SmoothingParameters) -> Iterator[ProcessorOutput]:
    for stored in frame.in_order():
        reading = stored.reading
        if reading.stale:
            yield SmoothedReading(reading, stored.entry_ms, {}, None)
            continue
        track = epoch.tracks.setdefault(reading.face.track, TrackProcessor())
        smoothed, episodes = track.process(reading, stored.entry_ms, parameters)
        yield smoothed
        yield from episodes
    if frame.last:
        yield from _end(epoch)
        return
    if epoch.captured_ms is not None:
        epoch.interval_ms = max(0, frame.captured_ms - epoch.captured_ms)
    epoch.captured_ms = frame.captured_ms
    for number, track in list(epoch.tracks.items()):
        if frame.captured_ms - track.seen_ms > LOST_MS:
            yield from track.end()
            del epoch.tracks[number]


def _end(epoch: Epoch) -> list[ProcessorOutput]:
    tracks, epoch.tracks, epoch.captured_ms, epoch.interval_ms = epoch.tracks, {}, None, 0
    return [episode for track in tracks.values() for episode in track.end()]
