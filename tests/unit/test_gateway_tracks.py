import math
from datetime import timedelta

import pytest

from api_gateway.smoothing import Smoothing
from api_gateway.tracks import FORGOTTEN_AFTER_MS, Tracks
from tests.stage import HAPPY, SAD, UNSURE, reading

CONSTANT = timedelta(seconds=0.4)


def followed(tracks: Tracks, frame: int, **more: object):
    one = reading(frame=frame, captured_ms=1_000_000 + 100 * frame, **more)
    return tracks.follow(one, one.captured_ms)


def test_the_first_reading_is_taken_as_it_is():
    smoothing = Smoothing(CONSTANT)
    smoothing.add({"happy": 0.9, "sad": 0.1}, 0)
    assert smoothing.probabilities == {"happy": 0.9, "sad": 0.1}


def test_after_one_time_constant_a_new_value_has_63_percent_of_the_weight():
    smoothing = Smoothing(CONSTANT)
    smoothing.add({"happy": 1.0, "sad": 0.0}, 0)
    smoothing.add({"happy": 0.0, "sad": 1.0}, 400)
    assert smoothing.probabilities["sad"] == pytest.approx(1 - math.exp(-1))
    assert sum(smoothing.probabilities.values()) == pytest.approx(1)


def test_many_frames_a_second_smooth_no_less_than_few():
    few, many = Smoothing(CONSTANT), Smoothing(CONSTANT)
    for smoothing, step in ((few, 200), (many, 20)):
        smoothing.add({"happy": 1.0, "sad": 0.0}, 0)
        for at in range(step, 401, step):
            smoothing.add({"happy": 0.0, "sad": 1.0}, at)
    assert few.probabilities["sad"] == pytest.approx(many.probabilities["sad"])


def test_without_a_time_constant_nothing_is_smoothed():
    smoothing = Smoothing(timedelta(0))
    smoothing.add({"happy": 1.0, "sad": 0.0}, 0)
    smoothing.add({"happy": 0.0, "sad": 1.0}, 1)
    assert smoothing.probabilities == {"happy": 0.0, "sad": 1.0}


def test_a_model_with_other_emotions_starts_anew():
    smoothing = Smoothing(CONSTANT)
    smoothing.add({"happy": 1.0}, 0)
    smoothing.add({"calm": 0.6, "tense": 0.4}, 10)
    assert smoothing.probabilities == {"calm": 0.6, "tense": 0.4}


def test_a_frame_that_comes_behind_a_later_one_is_ignored():
    tracks = Tracks(CONSTANT)
    followed(tracks, 5, probabilities=HAPPY)
    assert followed(tracks, 4, probabilities=SAD) is None
    assert followed(tracks, 5, probabilities=SAD) is None
    (track,) = tracks.of("front", 1_000_500)
    assert (track.judgement.emotion, track.judgement.confidence) == ("happy", 95.0)


def test_what_is_told_of_a_track_follows_its_smoothed_probabilities():
    tracks = Tracks(timedelta(seconds=10))
    followed(tracks, 1, probabilities=HAPPY)
    assert followed(tracks, 2, probabilities=UNSURE).judgement.emotion == "happy"
    assert followed(tracks, 200, probabilities=UNSURE).judgement.between == ("fear", "surprise")


def test_a_source_that_was_opened_again_counts_its_frames_from_the_start():
    tracks = Tracks(CONSTANT)
    followed(tracks, 50)
    assert followed(tracks, 0, epoch="e2", probabilities=SAD).judgement.emotion == "sad"


def test_the_largest_face_is_the_most_prominent():
    tracks = Tracks(CONSTANT)
    followed(tracks, 1, track=1, box=(0.0, 0.0, 50.0, 50.0))
    followed(tracks, 1, track=2, box=(90.0, 0.0, 60.0, 60.0))
    followed(tracks, 1, track=3, box=(0.0, 90.0, 200.0, 10.0))
    assert [track.latest.face.track for track in tracks.of("front", 1_000_100)] == [2, 1, 3]


def test_a_track_is_forgotten_two_seconds_after_its_last_frame():
    tracks = Tracks(CONSTANT)
    seen = followed(tracks, 0).seen_ms
    assert tracks.of("front", seen + FORGOTTEN_AFTER_MS)
    assert not tracks.of("front", seen + FORGOTTEN_AFTER_MS + 1)
    assert tracks.get(("front", "e1", 1), seen + FORGOTTEN_AFTER_MS + 1) is None
    tracks.forget(seen + FORGOTTEN_AFTER_MS + 1)
    assert followed(tracks, 0) is not None, "a forgotten track is a new one"


def test_a_repeated_crop_is_known_and_another_one_is_not():
    tracks = Tracks(CONSTANT)
    assert not tracks.is_repeat(reading(frame=1))
    assert tracks.is_repeat(reading(frame=1))
    assert not tracks.is_repeat(reading(frame=1, index=1))
    assert not tracks.is_repeat(reading(frame=1, epoch="e2"))
