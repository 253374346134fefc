"""A short soak, which checks that the long one (`make soak`, the row itself) works."""

import pytest

from tests.faults import soak

CROPS = 20_000


@pytest.mark.row(0)
@pytest.mark.short
def test_a_short_soak_run_reports_the_memory_of_each_process_and_draws_it(tmp_path):
    samples = soak.run(tmp_path, CROPS)
    assert samples[-1].crops == CROPS
    grown = {process: descriptors for process, _, descriptors in soak.growth(samples, CROPS)}
    assert grown.keys() == {"worker 1", "worker 2", "redis"}
    # After so few crops a worker may not have opened all its connections yet; it has four.
    assert grown["worker 1"] <= 4
    assert grown["worker 2"] <= 4
    soak.plot(samples, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").stat().st_size > 10_000
