import pytest

from contract.judgement import UNCERTAIN, Judgement, Thresholds, judge
from contract.messages import Quality

THRESHOLDS = Thresholds(min_probability=0.5, min_margin=0.2, precision=0.95)


def test_a_clear_answer_is_the_likeliest_label_with_its_confidence():
    assert judge({"sad": 0.02651, "happy": 0.97349}, THRESHOLDS) == Judgement("happy", 97.3)


def test_a_low_probability_is_uncertain_between_the_two_likeliest():
    judgement = judge({"sad": 0.1, "fear": 0.45, "angry": 0.2, "surprise": 0.25}, THRESHOLDS)
    assert judgement == Judgement(UNCERTAIN, 45.0, ("fear", "surprise"))
    assert (judgement.words, judgement.certain) == ("fear or surprise", False)


def test_a_small_lead_is_uncertain_however_high_the_probability():
    assert judge({"fear": 0.55, "surprise": 0.45}, THRESHOLDS).between == ("fear", "surprise")


def test_probabilities_that_just_meet_the_thresholds_are_certain():
    assert judge({"fear": 0.5, "surprise": 0.25, "sad": 0.25}, THRESHOLDS).emotion == "fear"


def test_without_thresholds_the_likeliest_is_always_certain():
    assert judge({"fear": 0.21, "surprise": 0.2, "sad": 0.2}, None) == Judgement("fear", 21.0)


@pytest.mark.parametrize(
    ("quality", "flaws"),
    [
        (Quality(0.5, 0.4, 60.0, 0.1, 1.0), ()),
        (Quality(0.1, 0.4, 60.0, 0.1, 1.0), ("too dark",)),
        (Quality(0.5, 0.01, 60.0, 0.1, 1.0), ("blurred",)),
        (Quality(0.5, 0.4, 10.0, 0.1, 1.0), ("too small",)),
        (Quality(0.5, 0.4, 60.0, 0.9, 1.0), ("turned away",)),
        (Quality(0.5, 0.4, 60.0, 0.1, 0.5), ("cut off",)),
        (Quality(0.1, 0.01, 60.0, 0.1, 1.0), ("too dark", "blurred")),
    ],
)
def test_each_flaw_of_a_crop_is_named(quality: Quality, flaws: tuple[str, ...]):
    assert quality.flaws == flaws
