"""A short soak, so that the long one works when somebody starts it; `make soak` is the row itself."""

import pytest

from tests.faults import soak

CROPS = 20_000


@pytest.mark.row(0)
@pytest.mark.short
def test_a_short_soak_tells_what_each_process_held_and_draws_it(tmp_path):
    looks = soak.run(tmp_path, CROPS)
    assert looks[-1].crops == CROPS
    grown = {process: descriptors for process, _, descriptors in soak.growth(looks, CROPS)}
    assert grown.keys() == {"worker 1", "worker 2", "redis"}
    # After so few crops a worker may not have opened all its connections yet; it has four.
    assert grown["worker 1"] <= 4
    assert grown["worker 2"] <= 4
    soak.plot(looks, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").stat().st_size > 10_000
