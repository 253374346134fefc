from collections.abc import Iterable

import pytest

from contract.judgement import UNCERTAIN, Thresholds
from postprocessing.hysteresis import HysteresisFilter, lowered
from postprocessing.parameters import SmoothingParameters

THRESHOLDS = Thresholds(min_probability=0.6, min_margin=0.3, precision=0.95)
STEADINESS = SmoothingParameters(lead=0.2, hold_ms=200)


def told(shares: Iterable[float], thresholds: Thresholds | None = THRESHOLDS, step_ms: int = 100) -> list[str]:
    """What is told while the smoothed probability of sad, against happy, is this every 100 ms."""
    label = HysteresisFilter()
    return [
        label.follow({"happy": 1 - sad, "sad": sad}, thresholds, number * step_ms, STEADINESS).emotion
        for number, sad in enumerate(shares)
    ]


def test_the_first_reading_is_told_at_once():
    assert told([0.9]) == ["sad"]
    assert told([0.55]) == [UNCERTAIN]


def test_what_hovers_round_the_threshold_is_told_without_flicker():
    assert set(told([0.9, *([0.64, 0.66] * 20)])) == {"sad"}
    assert told([0.55, *([0.64, 0.66] * 20)]) == [UNCERTAIN, UNCERTAIN, *["sad"] * 39]


def test_a_moment_is_no_change():
    assert set(told([0.1, 0.1, 0.9, 0.9, 0.1, 0.1])) == {"happy"}
    assert set(told([0.1, 0.1, 0.5, 0.1, 0.1])) == {"happy"}


def test_moments_do_not_add_up():
    assert set(told([0.1, 0.55, 0.1, 0.55, 0.1, 0.55, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9])) == {"happy"}


def test_what_lasts_is_told_after_the_hold():
    assert told([0.1, 0.9, 0.9, 0.9]) == ["happy", "happy", "happy", "sad"]


def test_uncertain_is_told_when_the_probabilities_support_nothing_for_a_while():
    assert told([0.1, 0.55, 0.55, 0.55, 0.55]) == ["happy", "happy", "happy", UNCERTAIN, UNCERTAIN]


def test_an_emotion_is_won_back_only_by_the_model_s_own_thresholds():
    assert told([0.5, *[0.64] * 9])[-1] == UNCERTAIN
    assert told([0.5, *[0.66] * 9])[-1] == "sad"


def test_without_thresholds_another_emotion_has_to_lead_clearly():
    assert set(told([0.3, *[0.59] * 9], thresholds=None)) == {"happy"}
    assert told([0.3, *[0.61] * 3], thresholds=None)[-1] == "sad"


def test_a_source_with_a_frame_every_few_seconds_is_followed_too():
    assert told([0.1, 0.9, 0.9], step_ms=5000) == ["happy", "happy", "sad"]


def test_confidence_and_the_two_candidates_are_those_of_what_is_told():
    label = HysteresisFilter()
    label.follow({"happy": 0.9, "sad": 0.1}, THRESHOLDS, 0, STEADINESS)
    kept = label.follow({"happy": 0.4, "sad": 0.6}, THRESHOLDS, 50, STEADINESS)
    assert (kept.emotion, kept.confidence, kept.between) == ("happy", 40.0, ())
    unsure = label.follow({"happy": 0.45, "sad": 0.55}, THRESHOLDS, 500, STEADINESS)
    assert (unsure.emotion, unsure.confidence, unsure.between) == (UNCERTAIN, 55.0, ("sad", "happy"))


def test_a_model_with_other_labels_is_told_at_once():
    label = HysteresisFilter()
    label.follow({"happy": 0.9, "sad": 0.1}, THRESHOLDS, 0, STEADINESS)
    assert label.follow({"calm": 0.9, "tense": 0.1}, THRESHOLDS, 10, STEADINESS).emotion == "calm"


def test_a_model_with_one_label_tells_it():
    assert HysteresisFilter().follow({"face": 1.0}, THRESHOLDS, 0, STEADINESS).emotion == "face"


@pytest.mark.parametrize("lead", [0.0, 0.5, 1.0])
def test_lowered_thresholds_are_never_above_the_model_s(lead: float):
    low = lowered(THRESHOLDS, lead)
    assert 0 <= low.min_probability <= THRESHOLDS.min_probability
    assert low.min_margin <= THRESHOLDS.min_margin
