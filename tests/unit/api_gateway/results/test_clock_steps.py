"""Redis's clock is set back by two hours: the ids of its streams go on from the later time, and no duration does."""

import pytest

from api_gateway.results.active_tracks import ActiveTracks
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.results.processor import ResultProcessor
from api_gateway.results.sinks import PartialSink
from api_gateway.results.snapshots import Snapshot
from contract.messages import FrameDone
from contract.redis.broker import connect_async
from contract.redis.clock import RedisClock
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import SILENCE_MS, SourceProcessor
from tests.stage import reading

NOW_MS = 1_800_000_000_000
TWO_HOURS_MS = 2 * 3_600_000
MOST_MS = 1000
"""Above every age in these tests."""


class Collected(PartialSink):
    """Everything that was published."""

    def __init__(self):
        self.readings, self.episodes = [], []

    def reading(self, reading):
        self.readings.append(reading)

    def episode(self, episode, *, live):
        self.episodes.append((episode.phase, episode.id))


class Scene:
    """A source with one face, and Redis with its clock and its ids."""

    def __init__(self):
        self.now_ms = self.id_ms = NOW_MS
        self.frame = self.entries = 0
        self.published, self.tracks = Collected(), ActiveTracks()
        clock = RedisClock(wall=lambda: self.now_ms / 1000, monotonic=lambda: self.now_ms / 1000)
        self.processor = ResultProcessor(
            connect_async("redis://127.0.0.1:1/0", "test").commands,
            clock,
            SmoothingParameters(),
            erased=ErasedScopes(),
            sinks=(self.published, self.tracks),
            backfill=Collected(),
            is_recorded=lambda _source: False,
        )
        self.processor.follow("front", None)

    def show(self, frames: int) -> None:
        """The next frames, each stored and read 30 ms after it was captured."""
        for _ in range(frames):
            captured_ms, self.now_ms = self.now_ms, self.now_ms + 30
            one = reading(frame=self.frame, captured_ms=captured_ms)
            self._store(one.__class__(**{**_fields(one), "stored_ms": self._id_ms()}))
            previous = self.frame - 1 if self.frame else None
            self._store(FrameDone(one.id, captured_ms, 1, 640, 480, previous=previous))
            self.frame += 1
            self.now_ms += 70
            self.processor.advance_time("front", self.now_ms - 100)

    def _id_ms(self) -> int:
        self.id_ms = max(self.id_ms, self.now_ms)  # as Redis chooses it
        return self.id_ms

    def _store(self, outcome) -> None:
        self.entries += 1
        self.processor.process("front", b"%d-%d" % (self._id_ms(), self.entries), outcome)


def _fields(one):
    return {name: getattr(one, name) for name in one.__slots__}


@pytest.fixture
def scene():
    scene = Scene()
    scene.show(10)
    assert scene.published.episodes[0] == ("start", "front-e1-1-0")
    assert len(scene.published.readings) == 10
    return scene


def test_readings_go_on_with_their_true_ages_after_the_clock_was_set_back(scene):
    scene.now_ms -= TWO_HOURS_MS
    scene.show(10)
    later = scene.published.readings[10:]
    assert len(later) == 10
    for one in later:
        assert one.event.age_ms <= MOST_MS
        assert one.event.stages is not None
        assert sum(one.event.stages.model_dump().values()) <= MOST_MS


def test_the_episodes_of_before_end_and_those_of_after_end_in_time(scene):
    scene.now_ms -= TWO_HOURS_MS
    scene.show(10)
    assert ("end", "front-e1-1-0") in scene.published.episodes
    assert ("start", "front-e1-1-10") in scene.published.episodes
    scene.now_ms += SILENCE_MS + 1000
    scene.processor.advance_time("front", scene.now_ms - 100)
    assert ("end", "front-e1-1-10") in scene.published.episodes


def test_a_frame_waits_for_a_lost_outcome_no_longer_than_otherwise(scene):
    scene.now_ms -= TWO_HOURS_MS
    scene.show(3)
    scene.frame += 1  # one that never comes
    scene.show(10)
    assert scene.published.readings[-1].smoothed.reading.id.frame >= scene.frame - 4
    assert scene.processor.gaps("front") == 1


def test_no_face_of_before_is_shown_for_two_hours(scene):
    assert scene.tracks.of("front", scene.now_ms)
    scene.now_ms -= TWO_HOURS_MS
    assert scene.tracks.of("front", scene.now_ms) == []


def test_a_snapshot_of_before_gives_its_place_and_not_its_times(scene):
    state = SourceProcessor(SmoothingParameters())
    state.process(NOW_MS, FrameDone(reading().id, NOW_MS, 0, 640, 480))
    scene.now_ms -= TWO_HOURS_MS
    assert scene.processor.follow("front", Snapshot(f"{NOW_MS}-7", state)) == b"%d-7" % NOW_MS
    scene.show(3)
    assert scene.published.readings[-1].event.age_ms <= MOST_MS
