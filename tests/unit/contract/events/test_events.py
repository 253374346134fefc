import json
from dataclasses import replace

from contract import events
from contract.judgement import judge
from contract.messages import Quality, Reading
from tests.stage import HAPPY, LABELS, THRESHOLDS, UNSURE, reading


def event_of(one: Reading, smoothed_answer: events.Answer | None = None, age_ms: int | None = 10) -> dict[str, object]:
    return json.loads(events.Reading.from_message(one, smoothed_answer, age_ms, stages=None).model_dump_json())


def test_a_reading_event_contains_the_smoothed_and_the_raw_result():
    smoothed = dict(zip(LABELS, (0.1, 0.1, 0.6, 0.1, 0.1), strict=True))
    event = event_of(reading(frame=7, track=3), events.Answer.of(smoothed, judge(smoothed, THRESHOLDS)), 42)
    assert event["kind"] == "reading"
    assert (event["source"], event["track"], event["frame"], event["face"], event["age_ms"]) == ("front", 3, 7, 0, 42)
    assert (event["emotion"], event["confidence"], event["between"], event["flaws"]) == ("happy", 60.0, [], [])
    assert event["probabilities"] == smoothed
    raw = {"emotion": "happy", "between": [], "confidence": 95.0}
    assert event["raw"] == raw | {"probabilities": dict(zip(LABELS, HAPPY, strict=True))}
    assert event["box"] == [100.0, 60.0, 80.0, 90.0]
    assert set(event["quality"]) == {"brightness", "sharpness", "size", "turn", "inside"}


def test_an_uncertain_reading_names_its_two_candidate_emotions():
    event = event_of(reading(probabilities=UNSURE))
    assert (event["emotion"], event["between"], event["confidence"]) == ("uncertain", ["fear", "surprise"], 45.0)


def test_a_reading_of_a_bad_crop_contains_its_flaws():
    one = reading()
    dark = replace(one, face=replace(one.face, quality=Quality(0.05, 0.5, 90.0, 0.1, 0.4)))
    assert event_of(dark)["flaws"] == ["too dark", "cut off"]


def test_a_stale_reading_is_marked_as_stale_and_names_no_emotion():
    event = event_of(replace(reading(), probabilities=()))
    assert event["stale"] is True
    nothing = {"emotion": None, "between": [], "confidence": 0.0, "probabilities": {}}
    assert event["raw"] == nothing
    assert {name: event[name] for name in nothing} == nothing


def test_a_reading_without_a_smoothed_result_contains_the_raw_one():
    event = event_of(reading())
    assert event["probabilities"] == event["raw"]["probabilities"]
    assert event["emotion"] == "happy"
