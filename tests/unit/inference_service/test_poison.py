import numpy as np
import pytest

from inference_service.engines import EngineError, probe
from inference_service.poison import EngineBroken, IsolatingClassifier, Poison
from tests.inference import RAISES, ObedientEngine, crop


def crops(*marks: bytes):
    return np.stack([crop("clip", frame, mark=mark).array() for frame, mark in enumerate(marks)])


def test_a_batch_without_errors_runs_once():
    engine = ObedientEngine()
    assert IsolatingClassifier(engine).classify(crops(b"", b"", b"")) == [pytest.approx((0.2,) * 5)] * 3
    assert engine.batches == [3]


def test_an_empty_batch_does_not_call_the_engine():
    engine = ObedientEngine()
    assert IsolatingClassifier(engine).classify(probe(0)) == []
    assert engine.batches == []


def test_in_a_failed_batch_only_crops_that_fail_alone_are_poison():
    verdicts = IsolatingClassifier(ObedientEngine()).classify(crops(b"", RAISES, b"", RAISES))
    assert [isinstance(verdict, Poison) for verdict in verdicts] == [False, True, False, True]
    assert verdicts[1] == Poison("failure on request")


def test_no_good_crop_runs_more_than_twice_in_one_batch():
    engine = ObedientEngine()
    IsolatingClassifier(engine).classify(crops(RAISES, *[b""] * 31))
    assert engine.batches == [32] + [1] * 32


def test_a_batch_that_is_too_large_for_the_engine_is_classified_one_by_one():
    class Small(ObedientEngine):
        def classify(self, pixels):
            if len(pixels) > 1:
                raise EngineError("out of memory")
            return super().classify(pixels)

    verdicts = IsolatingClassifier(Small()).classify(crops(b"", b"", b""))
    assert not any(isinstance(verdict, Poison) for verdict in verdicts)


def test_a_single_crop_is_poison_if_the_engine_still_classifies_noise():
    engine = ObedientEngine()
    assert IsolatingClassifier(engine).classify(crops(RAISES)) == [Poison("failure on request")]
    assert engine.batches == [1, 1]


@pytest.mark.parametrize("count", [1, 5])
def test_an_engine_that_fails_on_everything_is_broken_and_no_crop_is_poison(count):
    engine = ObedientEngine()
    engine.broken = True
    with pytest.raises(EngineBroken, match="failure on request"):
        IsolatingClassifier(engine).classify(crops(*[b""] * count))


@pytest.mark.parametrize(
    "output",
    [np.full((1, 5), np.nan), np.full((1, 5), np.inf), np.full((1, 4), 0.25), np.full((2, 5), 0.2), np.full(5, 0.2)],
)
def test_an_invalid_output_is_a_failure(output):
    class Odd(ObedientEngine):
        def classify(self, pixels):
            good = super().classify(pixels)
            return good if np.array_equal(pixels, probe()) else output.astype(np.float32)

    (verdict,) = IsolatingClassifier(Odd()).classify(crops(b""))
    assert isinstance(verdict, Poison)
    assert "output" in verdict.reason


def test_a_programming_error_is_not_poison():
    class Buggy(ObedientEngine):
        def classify(self, pixels):
            raise TypeError("a bug")

    with pytest.raises(TypeError):
        IsolatingClassifier(Buggy()).classify(crops(b"", b""))
