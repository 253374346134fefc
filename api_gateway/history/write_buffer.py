"""The readings and episodes that wait to be written: bounded, and of each episode only the newest update."""

from collections import OrderedDict
from dataclasses import dataclass

from api_gateway.history.records import TrackSlot, slot_of
from contract import events
from contract.messages.erasure import ErasureScope

MOST_READINGS = 10_000
"""More than an hour of two faces."""
MOST_EPISODES = 2_000
TRACKS_REMEMBERED = 1_000
EPISODE_SECONDS = 3.0
"""How often a running episode is written; a crash loses no more of it."""


@dataclass(frozen=True)
class Batch:
    """What is written in one transaction."""

    readings: tuple[events.Reading, ...] = ()
    episodes: tuple[events.Episode, ...] = ()

    def __len__(self) -> int:
        return len(self.readings) + len(self.episodes)

    def without(self, scope: ErasureScope) -> "Batch":
        """A batch without what belongs to this scope."""
        return Batch(
            tuple(one for one in self.readings if not _is_in(scope, one)),
            tuple(one for one in self.episodes if not _overlaps(scope, one)),
        )

    def halves(self) -> tuple["Batch", "Batch"]:
        """This batch as two."""
        readings, episodes = len(self.readings) // 2, (len(self.episodes) + 1) // 2
        return (
            Batch(self.readings[:readings], self.episodes[:episodes]),
            Batch(self.readings[readings:], self.episodes[episodes:]),
        )


class ReadingSampler:
    """Admits one reading of each track and half second: the first."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str, int], int] = OrderedDict()
        """By source, epoch and track."""

    def admits(self, reading: events.Reading) -> bool:
        """Whether this reading is the first of its track and half second."""
        source, epoch, track, slot = slot_of(reading)
        last = self._last.pop((source, epoch, track), -1)
        self._last[source, epoch, track] = max(slot, last)
        if len(self._last) > TRACKS_REMEMBERED:
            self._last.popitem(last=False)
        return slot > last


class WriteBuffer:
    """Readings and episodes in the order of their arrival; beyond the limits the oldest are dropped and counted."""

    def __init__(self) -> None:
        self._readings: OrderedDict[TrackSlot, events.Reading] = OrderedDict()
        self._episodes: OrderedDict[str, events.Episode] = OrderedDict()
        self._written: OrderedDict[str, float] = OrderedDict()
        """When a running episode was last taken out."""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._readings) + len(self._episodes)

    def add_reading(self, reading: events.Reading) -> None:
        """Add a reading, unless there is one of the same track and half second."""
        self._readings.setdefault(slot_of(reading), reading)
        if len(self._readings) > MOST_READINGS:
            self._readings.popitem(last=False)
            self.dropped += 1

    def add_episode(self, episode: events.Episode) -> None:
        """Replace the last update of an episode by this one."""
        self._episodes[episode.id] = episode
        if len(self._episodes) > MOST_EPISODES:
            self._episodes.popitem(last=False)
            self.dropped += 1

    def absorb(self, other: "WriteBuffer") -> None:
        """Take everything out of another buffer."""
        for reading in other._readings.values():
            self.add_reading(reading)
        for episode in other._episodes.values():
            self.add_episode(episode)
        other._readings.clear()
        other._episodes.clear()

    def discard_before(self, before_ms: int) -> None:
        """Discard what is older."""
        self._readings = OrderedDict((k, one) for k, one in self._readings.items() if one.captured_ms >= before_ms)
        self._episodes = OrderedDict((k, one) for k, one in self._episodes.items() if one.end_ms >= before_ms)

    def discard(self, scope: ErasureScope) -> None:
        """Discard what belongs to this scope."""
        self._readings = OrderedDict((k, one) for k, one in self._readings.items() if not _is_in(scope, one))
        self._episodes = OrderedDict((k, one) for k, one in self._episodes.items() if not _overlaps(scope, one))

    def take(self, most: int, now: float, *, all_episodes: bool = False) -> Batch:
        """Take out what is due: readings, ended episodes, and running ones that were not taken for three seconds.

        Args:
            most: readings, and episodes.
            now: seconds of a clock that is never set.
            all_episodes: whether running ones are due in any case.
        """
        readings = tuple(self._readings.popitem(last=False)[1] for _ in range(min(most, len(self._readings))))
        due = [one for one in self._episodes.values() if all_episodes or self._is_due(one, now)][:most]
        for episode in due:
            del self._episodes[episode.id]
            self._written.pop(episode.id, None)
            if episode.phase != "end":
                self._written[episode.id] = now
        while len(self._written) > MOST_EPISODES:
            self._written.popitem(last=False)
        return Batch(readings, tuple(due))

    def _is_due(self, episode: events.Episode, now: float) -> bool:
        return episode.phase == "end" or now - self._written.get(episode.id, -EPISODE_SECONDS) >= EPISODE_SECONDS


def _is_in(scope: ErasureScope, reading: events.Reading) -> bool:
    return scope.covers(reading.source, reading.captured_ms)


def _overlaps(scope: ErasureScope, episode: events.Episode) -> bool:
    return scope.overlaps(episode.source, episode.start_ms, episode.end_ms)
