"""The stored entries of a job, and the disk space they need."""

import os
import sys
from pathlib import Path

import pytest

from capture_service.jobs.sent_entries import SentEntryStore
from contract.messages import Crop, Face, FrameDone, FrameId, Quality

FACES = 4


def frame(number: int) -> tuple[list[Crop], FrameDone]:
    name = FrameId("job-1", "e1", number)
    quality = Quality(0.5, 0.5, 60, 0, 1)
    faces = [Face(index, index, (0.0, 0.0, 9.0, 9.0), 1.0, quality) for index in range(FACES)]
    return [Crop(name, face, number, 0, os.urandom(2304)) for face in faces], FrameDone(name, number, FACES, 640, 480)


@pytest.fixture
def store(tmp_path: Path):
    store = SentEntryStore(tmp_path / "sent")
    yield store
    store.close()


def size(folder: Path) -> int:
    """Of all files below `folder` that this process has open, whether or not they have a name still."""
    open_files = [file for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return sum(file.stat().st_size for file in open_files if os.readlink(file).startswith(str(folder)))


def test_stored_entries_are_returned_unchanged_and_by_frame(store):
    sent = [frame(number) for number in range(3)]
    for crops, done in sent:
        store.add(crops, done)
    wanted = [sent[0][0][1], sent[2][0][0], sent[2][0][3], sent[2][1]]
    assert list(store.entries([2], [(2, 3), (0, 1), (2, 0), (2, 9), (7, 0)])) == wanted


def test_a_process_that_is_killed_leaves_no_file(tmp_path, store):
    crops, done = frame(0)
    store.add(crops, done)
    assert store.faces() == {0: FACES}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_long_recording_needs_little_disk_if_its_frames_are_forgotten(tmp_path, store):
    for number in range(2000):
        store.add(*frame(number))
        store.forget(number - 20)
    assert min(store.faces()) > 1900
    assert 0 < size(tmp_path) < 4_000_000  # all of them would be 18 MB
    assert len(list(store.entries(range(1990, 2000), []))) == 10
