import math

import pytest

from contract.messages import Quality
from postprocessing.smoothing import LEAST_WEIGHT, Smoothing, quality_weight

GOOD = Quality(0.5, 0.8, 90.0, 0.0, 1.0)


def smoothed(*readings: tuple[float, int, float], constant_ms: float = 400.0) -> Smoothing:
    """After readings of (probability of sad, ms, weight)."""
    smoothing = Smoothing()
    for sad, at_ms, share in readings:
        smoothing.add({"happy": 1 - sad, "sad": sad}, at_ms, share, constant_ms)
    return smoothing


def test_the_first_reading_counts_unchanged_even_with_a_bad_crop():
    assert smoothed((0.1, 0, 0.05)).probabilities == {"happy": 0.9, "sad": 0.1}


def test_after_one_time_constant_a_new_value_has_63_percent_of_the_weight():
    probabilities = smoothed((0.0, 0, 1.0), (1.0, 400, 1.0)).probabilities
    assert probabilities["sad"] == pytest.approx(1 - math.exp(-1))
    assert sum(probabilities.values()) == pytest.approx(1)


def test_a_high_frame_rate_smooths_as_much_as_a_low_one():
    few = smoothed((0.0, 0, 1.0), *((1.0, at, 1.0) for at in range(200, 401, 200)))
    many = smoothed((0.0, 0, 1.0), *((1.0, at, 1.0) for at in range(20, 401, 20)))
    assert few.probabilities["sad"] == pytest.approx(many.probabilities["sad"])


def test_without_a_time_constant_nothing_is_smoothed():
    assert smoothed((0.0, 0, 1.0), (1.0, 1, 0.1), constant_ms=0).probabilities == {"happy": 0.0, "sad": 1.0}


def test_a_poor_crop_among_good_ones_moves_little():
    good = smoothed((0.0, 0, 1.0), (1.0, 100, 1.0)).probabilities["sad"]
    poor = smoothed((0.0, 0, 1.0), (1.0, 100, 0.1)).probabilities["sad"]
    assert poor < good / 7


def test_where_all_crops_are_poor_they_count_as_much_as_good_ones():
    good = smoothed(*((float(at > 500), at, 1.0) for at in range(0, 1000, 50))).probabilities["sad"]
    poor = smoothed(*((float(at > 500), at, 0.1) for at in range(0, 1000, 50))).probabilities["sad"]
    assert poor == pytest.approx(good)


def test_a_poor_first_crop_is_soon_outweighed_by_a_good_one():
    assert smoothed((0.0, 0, 0.05), (1.0, 100, 1.0)).probabilities["sad"] > 0.8


def test_a_frame_with_an_earlier_time_than_the_last_changes_nothing():
    assert smoothed((0.0, 100, 1.0), (1.0, 90, 1.0)).probabilities == {"happy": 1.0, "sad": 0.0}


def test_a_model_with_other_emotions_starts_the_smoothing_again():
    smoothing = smoothed((0.0, 0, 1.0))
    smoothing.add({"calm": 0.6, "tense": 0.4}, 10, 1.0, 400.0)
    assert smoothing.probabilities == {"calm": 0.6, "tense": 0.4}


def test_the_weight_falls_with_each_flaw():
    assert quality_weight(GOOD) == 1.0
    flawed = [
        Quality(0.1, 0.8, 90.0, 0.0, 1.0),
        Quality(0.5, 0.05, 90.0, 0.0, 1.0),
        Quality(0.5, 0.8, 15.0, 0.0, 1.0),
        Quality(0.5, 0.8, 90.0, 0.8, 1.0),
        Quality(0.5, 0.8, 90.0, 0.0, 0.4),
    ]
    for quality in flawed:
        assert quality.flaws
        assert LEAST_WEIGHT < quality_weight(quality) < 0.5


@pytest.mark.parametrize("quality", [Quality(0, 0, 0, 1, 0), Quality(-1, -1, -1, 2, -1), Quality(9, 9, 9e8, -3, 5)])
def test_the_weight_stays_in_its_bounds_for_any_quality(quality: Quality):
    assert LEAST_WEIGHT <= quality_weight(quality) <= 1
