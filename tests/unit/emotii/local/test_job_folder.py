"""The temporary folder of an analysis is removed, even if its process is killed."""

import fcntl
import os
import tempfile
import time

import pytest

from emotii.local.job_folder import LOCK, PREFIX, YOUNG_SECONDS, job_folder


@pytest.fixture
def parent(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_behind(parent, name, age=2 * YOUNG_SECONDS):
    folder = parent / f"{PREFIX}{name}"
    (folder / "redis").mkdir(parents=True)
    (folder / "redis" / "faces.aof").write_bytes(b"faces")
    (folder / LOCK).touch()
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def test_the_folder_is_removed_at_the_end(parent):
    with job_folder() as (folder, _):
        assert folder.parent == parent
        (folder / "file").touch()
    assert list(parent.iterdir()) == []


def test_the_next_analysis_removes_the_folder_of_a_killed_one_and_no_other(parent):
    gone = left_behind(parent, "gone")
    young = left_behind(parent, "young", age=0)
    used = left_behind(parent, "used")
    (parent / "emotii-other").mkdir()
    with (used / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with job_folder() as (folder, _):
            assert sorted(parent.iterdir()) == sorted([folder, young, used, parent / "emotii-other"])
    assert not gone.exists()
