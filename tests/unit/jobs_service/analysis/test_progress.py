"""What a job that completes no more frames is said to wait for."""

import pytest

from jobs_service.analysis import progress
from jobs_service.analysis.progress import (
    NO_REDIS,
    READING,
    SENDING_AGAIN,
    WAITING,
    Progress,
    StallDetector,
    current_step,
)


@pytest.mark.parametrize(
    ("outage", "again", "unclassified", "step"),
    [
        (False, False, 3, WAITING),
        (False, False, 0, READING),
        (False, True, 3, SENDING_AGAIN),
        (True, True, 3, NO_REDIS),
        (True, False, 0, NO_REDIS),
    ],
)
def test_a_job_waits_for_a_worker_only_if_crops_wait_for_one(outage, again, unclassified, step):
    assert current_step(outage=outage, again=again, unclassified=unclassified) == step


def test_the_step_is_the_reason_once_no_frame_was_completed_for_long(monkeypatch):
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    detector = StallDetector()
    assert detector.reason(Progress(1, 10, 0, step=SENDING_AGAIN)) == ""
    now += progress.STALLED_SECONDS + 1
    assert detector.reason(Progress(1, 10, 0, step=SENDING_AGAIN)) == SENDING_AGAIN
    assert detector.reason(Progress(2, 10, 0, step=SENDING_AGAIN)) == ""
