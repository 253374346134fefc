"""From outcomes as they are stored to ordered readings and episodes."""

import random
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from contract.messages import FrameDone, FrameId, Manifest, Quality, Reading
from postprocessing.reorder_buffer import WAIT_MS
from postprocessing.source_processor import KEPT_EPOCHS, LOST_MS, SILENCE_MS, SourceProcessor
from postprocessing.track_processor import SmoothedReading
from tests.outcomes import START_MS, contents_of, episodes, frame, frames, output, random_frames, shuffled, stored
from tests.stage import HAPPY, SAD, UNSURE

SEEDS = range(40)


def numbers(outputs) -> list[int]:
    """The frames of the readings in the output."""
    return [one.reading.id.frame for one in outputs if isinstance(one, SmoothedReading)]


def test_with_one_worker_a_frame_is_released_with_its_own_last_entry():
    processor = SourceProcessor()
    for outcomes in frames({1: HAPPY, 2: SAD}, {1: HAPPY}, {1: HAPPY, 2: SAD}):
        done = outcomes.pop()
        for one in outcomes:
            assert not numbers(processor.process(done.captured_ms + 30, one))
        assert numbers(processor.process(done.captured_ms + 30, done)) == [done.id.frame] * len(outcomes)


def test_skipped_frames_are_not_waited_for():
    processor = SourceProcessor()
    (first, done), (later, later_done) = frame(0, {1: HAPPY}), frame(7, {1: HAPPY}, previous=0)
    assert numbers(processed(processor, first, done)) == [0]
    assert numbers(processed(processor, later, later_done)) == [7]


def processed(processor: SourceProcessor, *outcomes):
    return [one for outcome in outcomes for one in processor.process(START_MS, outcome)]


def test_a_frame_that_was_finished_first_waits_for_the_one_that_was_sent_before():
    processor = SourceProcessor()
    (zero, zero_done), (one, one_done) = frames({1: HAPPY}, {1: HAPPY})
    assert not numbers(processed(processor, one_done, one, zero_done))
    assert numbers(processed(processor, zero)) == [0, 1]


def test_a_frame_waits_only_a_moment_for_one_that_never_comes():
    processor = SourceProcessor()
    (_, _), (one, one_done), (two, two_done) = frames({1: HAPPY}, {1: HAPPY}, {1: HAPPY})
    processor.process(START_MS, one)
    processor.process(START_MS, one_done)
    assert not numbers(processor.advance_time(START_MS + WAIT_MS))
    assert numbers(processor.advance_time(START_MS + WAIT_MS + 1)) == [1]
    assert numbers(processed(processor, two, two_done)) == [2]


def test_frames_that_never_come_back_are_a_gap_and_skipped_or_late_frames_are_not():
    processor = SourceProcessor()
    (_, _), (one, one_done), (_, _), (_, _), (four, four_done) = frames(*[{1: HAPPY}] * 5)
    processed(processor, one, one_done)
    processor.advance_time(START_MS + WAIT_MS + 1)
    assert processor.gaps == 0  # this is the first frame here; earlier ones are not known
    processed(processor, *frame(3, {1: HAPPY}, previous=1))
    assert processor.gaps == 0  # the frame between was skipped
    processed(processor, four, replace(four_done, previous=3))
    assert processor.gaps == 0
    processed(processor, *frame(9, {1: HAPPY}, previous=7))
    assert processor.gaps == 0  # the frame may still arrive
    assert numbers(processor.advance_time(START_MS + WAIT_MS + 1)) == [9]
    assert processor.gaps == 1


def test_a_frame_with_a_dead_lettered_crop_is_released_without_it():
    processor = SourceProcessor()
    (first, _, done), (later, later_done) = frames({1: HAPPY, 2: SAD}, {1: HAPPY})
    assert not numbers(processed(processor, first, done))
    assert numbers(processor.process(START_MS + WAIT_MS + 1, later)) == [0]
    assert numbers(processor.process(START_MS + WAIT_MS + 1, later_done)) == [1]


def test_readings_of_a_source_without_frame_ends_are_released_too():
    processor = SourceProcessor()
    processor.process(START_MS, frame(0, {1: HAPPY})[0])
    assert numbers(processor.process(START_MS + WAIT_MS + 1, frame(4, {1: HAPPY})[0])) == [0]


def test_a_repeated_crop_counts_once():
    entries = stored(frames(*[{1: HAPPY}] * 5))
    doubled = [entry for entry in entries for _ in range(2)]
    processor = SourceProcessor()
    assert numbers(output(processor, [*doubled, *((entries[-1][0], outcome) for _, outcome in entries)])) == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert processor.dropped > 0


def test_an_outcome_of_an_already_released_frame_is_dropped():
    processor = SourceProcessor()
    (zero, _), (one, one_done) = frames({1: HAPPY}, {1: HAPPY})
    processor.process(START_MS, one)
    processor.process(START_MS, one_done)
    assert not numbers(processor.process(START_MS + WAIT_MS + 1, zero)[1:])
    assert processor.dropped == 1


def test_an_episode_starts_is_updated_twice_a_second_and_ends_with_its_last_reading():
    shown = [{1: HAPPY}] * 21 + [{}] * 15
    found = list(episodes(output(SourceProcessor(), stored(frames(*shown)))))
    assert [one.phase for one in found] == ["start", *["update"] * 4, "end"]
    assert {one.id for one in found} == {"front-e1-1-0"}
    end = found[-1]
    assert (end.start_ms, end.end_ms, end.duration_ms, end.readings) == (START_MS, START_MS + 2000, 2000, 21)
    assert (end.emotion, end.mean_confidence, end.peak.confidence, end.model) == ("happy", 95.0, 95.0, "test@1.0.0")


def test_a_change_of_emotion_ends_one_episode_and_starts_the_next_with_its_first_reading():
    found = list(episodes(output(SourceProcessor(), stored(frames(*[{1: HAPPY}] * 10, *[{1: SAD}] * 10)))))
    spans = [one for one in found if one.phase == "end"]
    assert [one.emotion for one in spans] == ["happy", "sad"]
    first, second = spans
    assert first.end_ms < second.start_ms <= START_MS + 1000 + 500
    assert second.id == f"front-e1-1-{(second.start_ms - START_MS) // 100}"


def test_an_uncertain_period_is_a_gap_between_two_episodes():
    shown = [{1: HAPPY}] * 10 + [{1: UNSURE}] * 20 + [{1: HAPPY}] * 10
    ends = [one for one in episodes(output(SourceProcessor(), stored(frames(*shown)))) if one.phase == "end"]
    assert [one.emotion for one in ends] == ["happy", "happy"]
    assert ends[1].start_ms - ends[0].end_ms > 1500


def test_a_face_that_is_missed_for_a_moment_keeps_its_episode():
    shown = [{1: HAPPY}] * 5 + [{}] * 9 + [{1: HAPPY}] * 5 + [{}] * 12
    ends = [one for one in episodes(output(SourceProcessor(), stored(frames(*shown)))) if one.phase == "end"]
    assert [one.readings for one in ends] == [10]


def test_a_track_that_is_gone_ends_while_others_go_on():
    shown = [{1: HAPPY, 2: SAD}] * 5 + [{1: HAPPY}] * (LOST_MS // 100 + 1)
    processor, found = SourceProcessor(), []
    for entry in stored(frames(*shown)):
        found += processor.process(*entry)
    assert [(one.track, one.end_ms) for one in episodes(found) if one.phase == "end"] == [(2, START_MS + 400)]
    assert [one.track for one in processor.running()] == [1]


def test_the_episodes_of_a_dead_source_end_with_the_time_of_their_last_reading():
    processor = SourceProcessor()
    *_, (last_ms, _) = entries = stored(frames(*[{1: HAPPY}] * 5))
    for entry in entries:
        processor.process(*entry)
    assert not processor.advance_time(last_ms + SILENCE_MS)
    (end,) = processor.advance_time(last_ms + SILENCE_MS + 1)
    assert (end.phase, end.end_ms) == ("end", START_MS + 400)
    assert not list(processor.running())


def test_a_source_that_sends_a_frame_every_few_seconds_is_not_dead_between_them():
    slow = [frame(n, {1: HAPPY}, at_ms=START_MS + 2500 * n, previous=n - 1 if n else None) for n in range(5)]
    ends = [one for one in episodes(output(SourceProcessor(), stored(slow))) if one.phase == "end"]
    assert [one.readings for one in ends] == [5]


def test_a_recording_may_pause_and_ends_with_its_manifest():
    processor = SourceProcessor(recorded=True)
    made = frames(*[{1: HAPPY}] * 3)
    for number, outcomes in enumerate(made):
        for outcome in outcomes:
            assert not [one for one in episodes(processor.process(60_000 * number, outcome)) if one.phase == "end"]
    end, *more = processor.process(200_000, Manifest(FrameId("front", "e1", 3), 3))
    assert (end.phase, end.readings, more) == ("end", 3, [])


def test_stale_readings_are_output_in_order_and_start_no_episode():
    processor = SourceProcessor()
    stale = [replace(one, probabilities=()) if isinstance(one, Reading) else one for one in frame(0, {1: HAPPY})]
    (only,) = processed(processor, *stale)
    assert (only.judgement, only.probabilities) == (None, {})


def test_the_best_face_has_a_high_confidence_and_a_good_quality():
    made = frames(*[{1: HAPPY}] * 6)
    dark = Quality(0.05, 0.5, 90.0, 0.1, 1.0)
    for number in (0, 1, 2, 4, 5):
        made[number][0] = replace(made[number][0], face=replace(made[number][0].face, quality=dark))
    *_, end = episodes(output(SourceProcessor(), stored(made)))
    assert end.best_face.frame == 3


def test_a_source_that_is_opened_again_begins_new_episodes():
    processor = SourceProcessor()
    entries = stored(frames(*[{1: HAPPY}] * 5))
    again = [(ms + 700, replace(one, id=replace(one.id, epoch="e2"))) for ms, one in entries]
    ends = [one for one in episodes(output(processor, [*entries, *again])) if one.phase == "end"]
    assert [one.id for one in ends] == ["front-e1-1-0", "front-e2-1-0"]


def test_the_state_of_a_source_that_is_reopened_repeatedly_is_bounded():
    processor = SourceProcessor()
    for number in range(20):
        for ms, one in stored(frames({1: HAPPY})):
            processor.process(ms + number, replace(one, id=replace(one.id, epoch=f"e{number}")))
    assert len(processor.epochs) == KEPT_EPOCHS


@pytest.mark.parametrize("seed", SEEDS)
def test_readings_and_episodes_do_not_depend_on_the_order_in_which_workers_finish(seed: int):
    dice = random.Random(seed)
    made = random_frames(dice)
    alone = contents_of(output(SourceProcessor(), stored(made)))
    several = contents_of(output(SourceProcessor(), shuffled(made, dice)))
    assert several.readings == alone.readings
    assert several.episodes == alone.episodes
    assert sum(one.phase == "end" for one in alone.episodes) == sum(one.phase == "start" for one in alone.episodes) > 3


@pytest.mark.parametrize("seed", SEEDS)
def test_the_output_does_not_depend_on_how_often_time_is_advanced(seed: int):
    dice = random.Random(seed)
    entries = shuffled(random_frames(dice), dice)
    del entries[::17]  # some never arrive
    entries = [(ms + (5000 if number > 300 else 0), one) for number, (ms, one) in enumerate(entries)]
    processor, found, before_ms = SourceProcessor(), [], entries[0][0]
    for ms, outcome in entries:
        for between in sorted(dice.randrange(before_ms, ms + 1) for _ in range(dice.randrange(3))):
            found += processor.advance_time(between)
        found += processor.process(ms, outcome)
        before_ms = ms
    found += processor.advance_time(before_ms + 60_000)
    assert contents_of(found) == contents_of(output(SourceProcessor(), entries))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_processor_that_resumes_from_the_stored_state_of_another_gives_the_same_output(seed: int):
    dice = random.Random(seed)
    entries = shuffled(random_frames(dice), dice)
    at = dice.randrange(len(entries))
    first = SourceProcessor()
    for entry in entries[:at]:
        first.process(*entry)
    adapter = TypeAdapter(SourceProcessor)
    second = adapter.validate_json(adapter.dump_json(first))
    assert second == first
    assert contents_of(output(second, entries[at:])) == contents_of(output(first, entries[at:]))


def test_without_outcomes_there_is_no_output():
    assert SourceProcessor().advance_time(START_MS) == SourceProcessor().end() == []
    assert output(SourceProcessor(), [(START_MS, FrameDone(FrameId("front", "e1", 0), START_MS, 0, 1, 1))]) == []
