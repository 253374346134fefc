"""The results that are written for a recording, and its timeline."""

import csv
import json

import pytest

from contract.messages import Quality
from jobs_service.outputs.jsonl import read_lines
from jobs_service.outputs.outcomes import UnclassifiedFace
from jobs_service.reports.timeline import MAX_POINTS, MAX_TRACKS, build_timeline
from tests.recording import LABELS, STEP_MS, outcome, reading, recorded


def switch(frames: int = 50, at: int = 25):
    """One face that is awake first and tired later."""
    return [outcome(n, reading(n, awake=0.96 if n < at else 0.02)) for n in range(frames)]


def test_lines_contain_readings_and_failures_in_the_order_of_the_frames(tmp_path):
    _, outputs = recorded(
        tmp_path,
        outcome(0, reading(0)),
        outcome(1, note="the file is damaged here"),
        outcome(2, UnclassifiedFace(2, 0, "poison", 80), reading(2, index=1)),
    )
    lines = list(read_lines(outputs.readings_jsonl))
    assert [(line["kind"], line["frame"]) for line in lines] == [
        ("reading", 0),
        ("unreadable", 1),
        ("buried", 2),
        ("reading", 2),
    ]
    assert lines[1]["reason"] == "the file is damaged here"
    assert lines[2]["reason"] == "poison"
    assert lines[0]["probabilities"].keys() == set(LABELS) == lines[0]["raw"]["probabilities"].keys()
    assert not {"age_ms", "stages", "stale"} & lines[0].keys()


def test_lines_of_a_folder_name_the_picture(tmp_path):
    _, outputs = recorded(tmp_path, outcome(0, reading(0)), picture="ü.jpg")
    assert [line["file"] for line in read_lines(outputs.readings_jsonl)] == ["ü.jpg"]


def test_a_single_frame_of_another_emotion_is_in_the_raw_result_but_not_in_the_smoothed_one(tmp_path):
    frames = [outcome(n, reading(n, awake=0.05 if n == 10 else 0.95)) for n in range(20)]
    record, outputs = recorded(tmp_path, *frames)
    lines = list(read_lines(outputs.readings_jsonl))
    assert lines[10]["raw"]["emotion"] != "awake"
    assert {line["emotion"] for line in lines} == {"awake"}
    assert [episode.emotion for episode in record.episodes] == ["awake"]


def test_each_episode_is_written_once_and_complete_to_both_files(tmp_path):
    frames = [outcome(n, reading(n), reading(n, track=2, awake=0.94, index=1)) for n in range(30)]
    record, outputs = recorded(tmp_path, *frames)
    assert [(one.track, one.start_ms, one.end_ms, one.phase) for one in record.episodes] == [
        (1, 0, 29 * STEP_MS, "end"),
        (2, 0, 29 * STEP_MS, "end"),
    ]
    with outputs.episodes_csv.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["track"], row["duration_s"], row["readings"]) for row in rows] == [("1", "1.160", "30")] * 1 + [
        ("2", "1.160", "30")
    ]
    assert [one["id"] for one in read_lines(outputs.episodes_jsonl)] == [row["id"] for row in rows]


def test_an_unclassified_face_does_not_delay_the_episodes(tmp_path):
    frames = [outcome(n, reading(n), *([UnclassifiedFace(n, 1, "poison")] if n == 5 else [])) for n in range(30)]
    record, _ = recorded(tmp_path, *frames)
    assert [(one.readings, one.duration_ms) for one in record.episodes] == [(30, 29 * STEP_MS)]
    assert record.counts.faces == 31


def timeline(record, outputs, name="clip.mp4"):
    counts = record.counts
    return build_timeline(name, read_lines(outputs.readings_jsonl), record.episodes, counts.frames, counts.last_ms)


def test_the_timeline_has_shares_and_points_of_each_track_by_the_models_own_labels(tmp_path):
    drawn = timeline(*recorded(tmp_path, *switch()))
    (track,) = drawn.tracks
    assert drawn.labels == LABELS
    assert drawn.duration_ms == 50 * STEP_MS
    assert sum(track.shares.values()) == pytest.approx(1)
    assert track.shares["awake"] > 0.45
    assert list(track.times_ms) == [n * STEP_MS for n in range(50)]
    assert track.probabilities["awake"][0] > 0.9
    assert track.probabilities["awake"][-1] < 0.1
    assert json.loads(drawn.model_dump_json())["tracks"][0]["track"] == 1


def test_a_long_recording_has_no_more_points_than_a_page_can_draw(tmp_path):
    frames = [outcome(n, reading(n)) for n in range(3 * MAX_POINTS)]
    (track,) = timeline(*recorded(tmp_path, *frames)).tracks
    assert MAX_POINTS / 2 < len(track.times_ms) <= MAX_POINTS + 1
    assert track.readings == 3 * MAX_POINTS


def test_only_the_longest_tracks_of_a_crowd_are_drawn_and_the_others_are_counted(tmp_path):
    frames = [outcome(n, *(reading(n, track=t, index=t) for t in range(50) if t % 2 or n < 2)) for n in range(5)]
    drawn = timeline(*recorded(tmp_path, *frames))
    assert len(drawn.tracks) == MAX_TRACKS
    assert drawn.tracks_left_out == 10
    assert {t for t in range(50) if t % 2} <= {track.track for track in drawn.tracks}


def test_a_track_that_was_absent_is_drawn_with_a_gap(tmp_path):
    away = range(10, 45)
    frames = [outcome(n, *([] if n in away else [reading(n)])) for n in range(60)]
    drawn = timeline(*recorded(tmp_path, *frames))
    assert [len(stretch) for stretch in drawn.tracks[0].stretches(drawn.gap_ms)] == [10, 15]


def test_the_best_face_of_a_track_is_its_clearest_picture(tmp_path):
    sharp = Quality(0.5, 0.9, 120.0, 0.0, 1.0)
    dark = Quality(0.1, 0.1, 60.0, 0.6, 1.0)
    frames = [outcome(n, reading(n, quality=sharp if n == 7 else dark)) for n in range(12)]
    assert timeline(*recorded(tmp_path, *frames)).tracks[0].best_face.frame == 7


def test_a_recording_without_faces_has_an_empty_timeline(tmp_path):
    drawn = timeline(*recorded(tmp_path, *(outcome(n) for n in range(3))))
    assert (drawn.tracks, drawn.labels, drawn.model, drawn.faces) == ((), (), "", 0)
