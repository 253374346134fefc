from collections.abc import Iterable

import pytest

from contract.judgement import UNCERTAIN, Thresholds
from postprocessing.hysteresis import HysteresisFilter, lowered
from postprocessing.parameters import SmoothingParameters

THRESHOLDS = Thresholds(min_probability=0.6, min_margin=0.3, precision=0.95)
PARAMETERS = SmoothingParameters(lead=0.2, hold_ms=200)


def emotions(shares: Iterable[float], thresholds: Thresholds | None = THRESHOLDS, step_ms: int = 100) -> list[str]:
    """The emotions while the smoothed probability of sad, against happy, has these values every `step_ms`."""
    hysteresis = HysteresisFilter()
    return [
        hysteresis.update({"happy": 1 - sad, "sad": sad}, thresholds, number * step_ms, PARAMETERS).emotion
        for number, sad in enumerate(shares)
    ]


def test_the_first_reading_counts_at_once():
    assert emotions([0.9]) == ["sad"]
    assert emotions([0.55]) == [UNCERTAIN]


def test_probabilities_around_a_threshold_do_not_flicker():
    assert set(emotions([0.9, *([0.64, 0.66] * 20)])) == {"sad"}
    assert emotions([0.55, *([0.64, 0.66] * 20)]) == [UNCERTAIN, UNCERTAIN, *["sad"] * 39]


def test_a_change_for_a_moment_does_not_count():
    assert set(emotions([0.1, 0.1, 0.9, 0.9, 0.1, 0.1])) == {"happy"}
    assert set(emotions([0.1, 0.1, 0.5, 0.1, 0.1])) == {"happy"}


def test_moments_do_not_add_up():
    assert set(emotions([0.1, 0.55, 0.1, 0.55, 0.1, 0.55, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9])) == {"happy"}


def test_a_lasting_change_counts_after_the_hold_time():
    assert emotions([0.1, 0.9, 0.9, 0.9]) == ["happy", "happy", "happy", "sad"]


def test_a_track_is_uncertain_when_the_probabilities_support_no_emotion_for_a_while():
    assert emotions([0.1, 0.55, 0.55, 0.55, 0.55]) == ["happy", "happy", "happy", UNCERTAIN, UNCERTAIN]


def test_a_lost_emotion_comes_back_only_by_the_thresholds_of_the_model():
    assert emotions([0.5, *[0.64] * 9])[-1] == UNCERTAIN
    assert emotions([0.5, *[0.66] * 9])[-1] == "sad"


def test_without_thresholds_another_emotion_must_have_a_clear_lead():
    assert set(emotions([0.3, *[0.59] * 9], thresholds=None)) == {"happy"}
    assert emotions([0.3, *[0.61] * 3], thresholds=None)[-1] == "sad"


def test_a_source_with_a_frame_every_few_seconds_changes_its_emotion_too():
    assert emotions([0.1, 0.9, 0.9], step_ms=5000) == ["happy", "happy", "sad"]


def test_confidence_and_the_two_candidates_are_those_of_the_judgement():
    hysteresis = HysteresisFilter()
    hysteresis.update({"happy": 0.9, "sad": 0.1}, THRESHOLDS, 0, PARAMETERS)
    kept = hysteresis.update({"happy": 0.4, "sad": 0.6}, THRESHOLDS, 50, PARAMETERS)
    assert (kept.emotion, kept.confidence, kept.between) == ("happy", 40.0, ())
    unsure = hysteresis.update({"happy": 0.45, "sad": 0.55}, THRESHOLDS, 500, PARAMETERS)
    assert (unsure.emotion, unsure.confidence, unsure.between) == (UNCERTAIN, 55.0, ("sad", "happy"))


def test_an_emotion_of_a_model_with_other_labels_counts_at_once():
    hysteresis = HysteresisFilter()
    hysteresis.update({"happy": 0.9, "sad": 0.1}, THRESHOLDS, 0, PARAMETERS)
    assert hysteresis.update({"calm": 0.9, "tense": 0.1}, THRESHOLDS, 10, PARAMETERS).emotion == "calm"


def test_a_model_with_one_label_always_gives_that_label():
    assert HysteresisFilter().update({"face": 1.0}, THRESHOLDS, 0, PARAMETERS).emotion == "face"


@pytest.mark.parametrize("lead", [0.0, 0.5, 1.0])
def test_lowered_thresholds_are_never_above_the_model_s(lead: float):
    low = lowered(THRESHOLDS, lead)
    assert 0 <= low.min_probability <= THRESHOLDS.min_probability
    assert low.min_margin <= THRESHOLDS.min_margin
