from dataclasses import replace

import pytest

from contract.errors import MalformedMessage
from contract.judgement import Thresholds
from contract.messages import Reading, read_outcome
from tests.stage import reading


def test_a_reading_survives_its_fields():
    sent = reading(frame=3, track=2)
    again = read_outcome(sent.fields())
    assert isinstance(again, Reading)
    assert again.probabilities == pytest.approx(sent.probabilities)
    assert (again.id, again.face, again.labels) == (sent.id, sent.face, sent.labels)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_probabilities_that_are_no_numbers_are_malformed(bad: float):
    with pytest.raises(MalformedMessage, match="finite"):
        read_outcome(reading(probabilities=(bad, 0.1, 0.2, 0.3, 0.4)).fields())


def test_a_reading_carries_the_thresholds_of_its_model():
    thresholds = Thresholds(min_probability=0.5123, min_margin=0.1, precision=0.95)
    assert read_outcome(replace(reading(), thresholds=thresholds).fields()).thresholds == thresholds


def test_a_reading_of_an_older_release_has_no_thresholds():
    fields = reading(thresholds=None).fields()
    assert b"thresholds" not in fields
    assert read_outcome(fields).thresholds is None


def test_a_reading_says_when_its_crop_was_stored_unless_its_worker_is_of_an_older_release():
    assert read_outcome(replace(reading(), stored_ms=1_000_012).fields()).stored_ms == 1_000_012
    assert b"stored_ms" not in reading().fields()
    assert read_outcome(reading().fields()).stored_ms is None


@pytest.mark.parametrize("bad", [b"", b"0.5", b"0.5,0.1,nan", b"1.5,0.1,0.9", b"-0.1,0.1,0.9", b"a,b,c"])
def test_thresholds_that_are_no_shares_are_malformed(bad: bytes):
    with pytest.raises(MalformedMessage, match="thresholds"):
        read_outcome({**reading().fields(), b"thresholds": bad})
