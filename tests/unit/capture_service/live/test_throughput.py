"""When a live source counts as too slow."""

import pytest

from capture_service.live.throughput import WINDOW_SECONDS, Throughput


class Source:
    """Frames of a source, by a clock of its own."""

    def __init__(self, most_fps: float | None = None) -> None:
        self.now = 100.0
        self.throughput = Throughput(most_fps, lambda: self.now)

    def run(self, seconds: float, **every_second: int) -> str:
        """The warning after so many seconds with these counts in each."""
        for _ in range(round(seconds)):
            self.now += 1
            self.throughput.count(**every_second)
        return self.throughput.warning()


def test_a_source_that_skips_nearly_all_of_its_frames_is_too_slow():
    source = Source()
    for _ in range(5):
        source.run(1, skipped=25)
        source.run(1, processed=1, skipped=24)
    assert source.throughput.warning() == "capture is too slow: 0.6 of 25 frames/s"


@pytest.mark.parametrize(
    ("counts", "warning"),
    [
        ({"processed": 25}, ""),
        ({"processed": 6, "skipped": 54}, ""),  # enough for smoothing, whatever the camera delivers
        ({"processed": 1}, ""),  # a camera that delivers no more
        ({"processed": 3, "skipped": 2}, ""),
        ({"processed": 2, "skipped": 3}, "capture is too slow: 2 of 5 frames/s"),
        ({"processed": 4, "skipped": 26}, "capture is too slow: 4 of 30 frames/s"),
        ({"skipped": 25}, "capture is too slow: 0 of 25 frames/s"),
        ({"processed": 1, "skipped": 4, "held_back": 10}, "inference is too slow: 1 of 15 frames/s"),
        ({}, ""),
    ],
)
def test_too_slow_is_less_than_half_of_the_frames_and_less_than_five_a_second(counts: dict[str, int], warning: str):
    assert Source().run(12, **counts) == warning


def test_frames_above_the_bound_of_a_source_are_skipped_on_purpose():
    assert Source(most_fps=1).run(12, processed=1, skipped=24) == ""
    assert Source(most_fps=4).run(12, processed=1, skipped=24) == "capture is too slow: 1 of 4 frames/s"


def test_a_source_is_judged_by_its_last_seconds_only():
    source = Source()
    assert source.run(WINDOW_SECONDS - 1, skipped=25) == "", "too few seconds"
    assert source.run(60, skipped=25)
    assert source.run(WINDOW_SECONDS + 1, processed=25) == ""
    assert source.run(WINDOW_SECONDS + 1, skipped=25)
    source.throughput.restart()
    assert source.throughput.warning() == ""
