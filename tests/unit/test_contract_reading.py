import pytest

from contract.errors import MalformedMessage
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
