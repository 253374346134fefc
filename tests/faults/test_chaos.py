"""A short chaos; `make chaos` runs it for as long as one likes."""

import pytest

from tests.faults import chaos


@pytest.mark.row(0)
def test_twenty_seconds_of_random_faults_lose_and_repeat_nothing(any_program, tmp_path, record_property):
    balance = chaos.run(tmp_path, 20.0, 7, any_program)
    record_property("crops", balance.added)
    assert balance.settled, balance
    assert balance.duplicates == 0, balance
