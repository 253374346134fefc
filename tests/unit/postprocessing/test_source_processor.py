"""From outcomes as they are stored to ordered readings and episodes."""

import random
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from contract.messages import FrameDone, FrameId, Manifest, Quality, Reading
from postprocessing.reorder_buffer import WAIT_MS
from postprocessing.source_processor import KEPT_EPOCHS, LOST_MS, SILENCE_MS, SourceProcessor
from postprocessing.track_processor import SmoothedReading
from tests.outcomes import START_MS, episodes, frame, frames, heard, random_frames, shuffled, stored, told
from tests.stage import HAPPY, SAD, UNSURE

SEEDS = range(40)


def numbers(told) -> list[int]:
    """The frames of the readings that were told."""
    return [one.reading.id.frame for one in told if isinstance(one, SmoothedReading)]


def test_with_one_worker_a_frame_is_told_with_its_own_last_entry():
    steady = SourceProcessor()
    for outcomes in frames({1: HAPPY, 2: SAD}, {1: HAPPY}, {1: HAPPY, 2: SAD}):
        done = outcomes.pop()
        for one in outcomes:
            assert not numbers(steady.process(done.captured_ms + 30, one))
        assert numbers(steady.process(done.captured_ms + 30, done)) == [done.id.frame] * len(outcomes)


def test_skipped_frames_are_not_waited_for():
    steady = SourceProcessor()
    (first, done), (later, later_done) = frame(0, {1: HAPPY}), frame(7, {1: HAPPY}, previous=0)
    assert numbers(told_now(steady, first, done)) == [0]
    assert numbers(told_now(steady, later, later_done)) == [7]


def told_now(steady: SourceProcessor, *outcomes):
    return [one for outcome in outcomes for one in steady.process(START_MS, outcome)]


def test_a_frame_that_was_finished_first_waits_for_the_one_that_was_sent_before():
    steady = SourceProcessor()
    (zero, zero_done), (one, one_done) = frames({1: HAPPY}, {1: HAPPY})
    assert not numbers(told_now(steady, one_done, one, zero_done))
    assert numbers(told_now(steady, zero)) == [0, 1]


def test_what_never_comes_is_waited_for_a_moment_only():
    steady = SourceProcessor()
    (_, _), (one, one_done), (two, two_done) = frames({1: HAPPY}, {1: HAPPY}, {1: HAPPY})
    steady.process(START_MS, one)
    steady.process(START_MS, one_done)
    assert not numbers(steady.advance_time(START_MS + WAIT_MS))
    assert numbers(steady.advance_time(START_MS + WAIT_MS + 1)) == [1]
    assert numbers(told_now(steady, two, two_done)) == [2]


def test_frames_that_never_come_back_are_a_gap_and_skipped_or_late_ones_are_none():
    steady = SourceProcessor()
    (_, _), (one, one_done), (_, _), (_, _), (four, four_done) = frames(*[{1: HAPPY}] * 5)
    told_now(steady, one, one_done)
    steady.advance_time(START_MS + WAIT_MS + 1)
    assert steady.gaps == 0  # where this one began, the frame before had long been told
    told_now(steady, *frame(3, {1: HAPPY}, previous=1))
    assert steady.gaps == 0  # the frame between was skipped
    told_now(steady, four, replace(four_done, previous=3))
    assert steady.gaps == 0
    told_now(steady, *frame(9, {1: HAPPY}, previous=7))
    assert steady.gaps == 0  # it may still come
    assert numbers(steady.advance_time(START_MS + WAIT_MS + 1)) == [9]
    assert steady.gaps == 1


def test_a_frame_with_a_buried_crop_is_told_without_it():
    steady = SourceProcessor()
    (first, _, done), (later, later_done) = frames({1: HAPPY, 2: SAD}, {1: HAPPY})
    assert not numbers(told_now(steady, first, done))
    assert numbers(steady.process(START_MS + WAIT_MS + 1, later)) == [0]
    assert numbers(steady.process(START_MS + WAIT_MS + 1, later_done)) == [1]


def test_readings_of_a_source_that_ends_no_frames_are_told_too():
    steady = SourceProcessor()
    steady.process(START_MS, frame(0, {1: HAPPY})[0])
    assert numbers(steady.process(START_MS + WAIT_MS + 1, frame(4, {1: HAPPY})[0])) == [0]


def test_a_crop_that_comes_twice_is_told_once():
    entries = stored(frames(*[{1: HAPPY}] * 5))
    doubled = [entry for entry in entries for _ in range(2)]
    steady = SourceProcessor()
    assert numbers(told(steady, [*doubled, *((entries[-1][0], outcome) for _, outcome in entries)])) == [0, 1, 2, 3, 4]
    assert steady.dropped > 0


def test_what_comes_behind_a_frame_that_was_told_is_dropped():
    steady = SourceProcessor()
    (zero, _), (one, one_done) = frames({1: HAPPY}, {1: HAPPY})
    steady.process(START_MS, one)
    steady.process(START_MS, one_done)
    assert not numbers(steady.process(START_MS + WAIT_MS + 1, zero)[1:])
    assert steady.dropped == 1


def test_an_episode_starts_is_updated_twice_a_second_and_ends_with_its_last_reading():
    shown = [{1: HAPPY}] * 21 + [{}] * 15
    found = list(episodes(told(SourceProcessor(), stored(frames(*shown)))))
    assert [one.phase for one in found] == ["start", *["update"] * 4, "end"]
    assert {one.id for one in found} == {"front-e1-1-0"}
    end = found[-1]
    assert (end.start_ms, end.end_ms, end.duration_ms, end.readings) == (START_MS, START_MS + 2000, 2000, 21)
    assert (end.emotion, end.mean_confidence, end.peak.confidence, end.model) == ("happy", 95.0, 95.0, "test@1.0.0")


def test_a_change_of_emotion_ends_one_episode_and_starts_the_next_with_its_first_reading():
    found = list(episodes(told(SourceProcessor(), stored(frames(*[{1: HAPPY}] * 10, *[{1: SAD}] * 10)))))
    spans = [one for one in found if one.phase == "end"]
    assert [one.emotion for one in spans] == ["happy", "sad"]
    first, second = spans
    assert first.end_ms < second.start_ms <= START_MS + 1000 + 500
    assert second.id == f"front-e1-1-{(second.start_ms - START_MS) // 100}"


def test_an_uncertain_span_is_a_gap_between_two_episodes():
    shown = [{1: HAPPY}] * 10 + [{1: UNSURE}] * 20 + [{1: HAPPY}] * 10
    ends = [one for one in episodes(told(SourceProcessor(), stored(frames(*shown)))) if one.phase == "end"]
    assert [one.emotion for one in ends] == ["happy", "happy"]
    assert ends[1].start_ms - ends[0].end_ms > 1500


def test_a_face_that_is_missed_for_a_moment_keeps_its_episode():
    shown = [{1: HAPPY}] * 5 + [{}] * 9 + [{1: HAPPY}] * 5 + [{}] * 12
    ends = [one for one in episodes(told(SourceProcessor(), stored(frames(*shown)))) if one.phase == "end"]
    assert [one.readings for one in ends] == [10]


def test_a_track_that_is_gone_ends_while_others_go_on():
    shown = [{1: HAPPY, 2: SAD}] * 5 + [{1: HAPPY}] * (LOST_MS // 100 + 1)
    steady, found = SourceProcessor(), []
    for entry in stored(frames(*shown)):
        found += steady.process(*entry)
    assert [(one.track, one.end_ms) for one in episodes(found) if one.phase == "end"] == [(2, START_MS + 400)]
    assert [one.track for one in steady.running()] == [1]


def test_a_dead_source_ends_its_episodes_with_the_time_of_their_last_reading():
    steady = SourceProcessor()
    *_, (last_ms, _) = entries = stored(frames(*[{1: HAPPY}] * 5))
    for entry in entries:
        steady.process(*entry)
    assert not steady.advance_time(last_ms + SILENCE_MS)
    (end,) = steady.advance_time(last_ms + SILENCE_MS + 1)
    assert (end.phase, end.end_ms) == ("end", START_MS + 400)
    assert not list(steady.running())


def test_a_source_that_sends_a_frame_every_few_seconds_is_not_dead_between_them():
    slow = [frame(n, {1: HAPPY}, at_ms=START_MS + 2500 * n, previous=n - 1 if n else None) for n in range(5)]
    ends = [one for one in episodes(told(SourceProcessor(), stored(slow))) if one.phase == "end"]
    assert [one.readings for one in ends] == [5]


def test_a_recording_may_pause_and_ends_with_its_manifest():
    steady = SourceProcessor(recorded=True)
    made = frames(*[{1: HAPPY}] * 3)
    for number, outcomes in enumerate(made):
        for outcome in outcomes:
            assert not [one for one in episodes(steady.process(60_000 * number, outcome)) if one.phase == "end"]
    end, *more = steady.process(200_000, Manifest(FrameId("front", "e1", 3), 3))
    assert (end.phase, end.readings, more) == ("end", 3, [])


def test_stale_readings_are_told_in_their_place_and_make_no_episode():
    steady = SourceProcessor()
    stale = [replace(one, probabilities=()) if isinstance(one, Reading) else one for one in frame(0, {1: HAPPY})]
    (only,) = told_now(steady, *stale)
    assert (only.judgement, only.probabilities) == (None, {})


def test_the_best_face_is_one_that_is_sure_and_well_to_be_seen():
    made = frames(*[{1: HAPPY}] * 6)
    dark = Quality(0.05, 0.5, 90.0, 0.1, 1.0)
    for number in (0, 1, 2, 4, 5):
        made[number][0] = replace(made[number][0], face=replace(made[number][0].face, quality=dark))
    *_, end = episodes(told(SourceProcessor(), stored(made)))
    assert end.best_face.frame == 3


def test_a_source_that_is_opened_again_begins_new_episodes():
    steady = SourceProcessor()
    entries = stored(frames(*[{1: HAPPY}] * 5))
    again = [(ms + 700, replace(one, id=replace(one.id, epoch="e2"))) for ms, one in entries]
    ends = [one for one in episodes(told(steady, [*entries, *again])) if one.phase == "end"]
    assert [one.id for one in ends] == ["front-e1-1-0", "front-e2-1-0"]


def test_a_source_that_is_opened_again_and_again_is_not_kept_for_ever():
    steady = SourceProcessor()
    for number in range(20):
        for ms, one in stored(frames({1: HAPPY})):
            steady.process(ms + number, replace(one, id=replace(one.id, epoch=f"e{number}")))
    assert len(steady.epochs) == KEPT_EPOCHS


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_order_in_which_workers_finish_readings_and_episodes_are_the_same(seed: int):
    dice = random.Random(seed)
    made = random_frames(dice)
    alone = heard(told(SourceProcessor(), stored(made)))
    several = heard(told(SourceProcessor(), shuffled(made, dice)))
    assert several.readings == alone.readings
    assert several.episodes == alone.episodes
    assert sum(one.phase == "end" for one in alone.episodes) == sum(one.phase == "start" for one in alone.episodes) > 3


@pytest.mark.parametrize("seed", SEEDS)
def test_how_often_the_passing_of_time_is_told_makes_no_difference(seed: int):
    dice = random.Random(seed)
    entries = shuffled(random_frames(dice), dice)
    del entries[::17]  # some never come
    entries = [(ms + (5000 if number > 300 else 0), one) for number, (ms, one) in enumerate(entries)]
    steady, found, before_ms = SourceProcessor(), [], entries[0][0]
    for ms, outcome in entries:
        for between in sorted(dice.randrange(before_ms, ms + 1) for _ in range(dice.randrange(3))):
            found += steady.advance_time(between)
        found += steady.process(ms, outcome)
        before_ms = ms
    found += steady.advance_time(before_ms + 60_000)
    assert heard(found) == heard(told(SourceProcessor(), entries))


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_starts_from_what_another_wrote_down_tells_the_same_from_there_on(seed: int):
    dice = random.Random(seed)
    entries = shuffled(random_frames(dice), dice)
    at = dice.randrange(len(entries))
    first = SourceProcessor()
    for entry in entries[:at]:
        first.process(*entry)
    adapter = TypeAdapter(SourceProcessor)
    second = adapter.validate_json(adapter.dump_json(first))
    assert second == first
    assert heard(told(second, entries[at:])) == heard(told(first, entries[at:]))


def test_without_anything_nothing_is_told():
    assert SourceProcessor().advance_time(START_MS) == SourceProcessor().end() == []
    assert told(SourceProcessor(), [(START_MS, FrameDone(FrameId("front", "e1", 0), START_MS, 0, 1, 1))]) == []
