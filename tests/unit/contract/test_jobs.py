"""The folders of jobs."""

import os
import time

import pytest

from contract.jobs import SILENT_SECONDS, JobFiles

JOB, OTHER = "0123456789ab", "ba9876543210"


@pytest.fixture
def files(tmp_path):
    return JobFiles(tmp_path / "jobs")


def upload(files: JobFiles, job: str = JOB) -> None:
    files.root.mkdir(exist_ok=True)
    files.upload(job).write_bytes(b"video")
    files.adopt(job)


def age(path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_an_upload_becomes_the_recording_of_its_job_and_leaves_no_other_file(files):
    upload(files)
    assert files.recording(JOB).read_bytes() == b"video"
    assert [path.name for path in files.root.iterdir()] == [JOB]


def test_only_uploads_of_gateways_that_died_are_swept(files):
    upload(files)
    files.upload(OTHER).write_bytes(b"half")
    assert files.sweep() == 0
    age(files.upload(OTHER), SILENT_SECONDS + 5)
    (files.root / "notes.txt").write_text("a person's own file")
    age(files.root / "notes.txt", SILENT_SECONDS + 5)
    assert files.sweep() == 1
    assert sorted(path.name for path in files.root.iterdir()) == [JOB, "notes.txt"]


def test_results_appear_all_at_once_and_a_failed_execution_leaves_nothing(files):
    upload(files)
    with pytest.raises(ZeroDivisionError), files.work(JOB) as work:
        (work / "readings.csv").write_text(str(1 / 0))
    assert [path.name for path in files.of(JOB).iterdir()] == ["recording"]
    with files.work(JOB) as work:
        (work / "readings.csv").write_text("rows")
        assert not files.results(JOB).exists()
        files.publish(JOB, work)
    assert sorted(path.name for path in files.of(JOB).iterdir()) == ["recording", "results"]


def test_the_next_execution_removes_the_folder_of_a_killed_one(files):
    upload(files)
    left = files.of(JOB) / "work-left"
    left.mkdir()
    (left / "readings.jsonl").write_text("faces")
    with files.work(JOB):
        assert not left.exists()


def test_removing_a_job_returns_whether_nothing_is_left(files):
    upload(files)
    assert files.remove(JOB)
    assert files.remove(JOB), "also the second time"
    assert list(files.jobs()) == []


def test_there_are_no_jobs_before_the_folder_exists(files):
    assert list(files.jobs()) == []
    assert files.sweep() == 0


@pytest.mark.parametrize("job", ["", ".", "..", "/tmp", "../jobs", JOB[1:], JOB + "c", f"{JOB}/", f"{JOB}\n"])
def test_no_path_is_made_of_what_is_no_id_of_a_job(files, job):
    upload(files)
    for path in (files.of, files.recording, files.results, files.upload, files.adopt, files.remove):
        with pytest.raises(ValueError, match="not the id of a job"):
            path(job)
    with pytest.raises(ValueError, match="not the id of a job"), files.work(job):
        pass
    assert files.recording(JOB).is_file()


@pytest.mark.parametrize("name", ["", ".", "..", "../recording", "/etc/passwd", ".hidden", "a/b", "a\n"])
def test_no_path_is_made_of_what_is_no_name_of_a_result(files, name):
    with pytest.raises(ValueError, match="not the name of a result"):
        files.result(JOB, name)


def test_published_results_stay_readable_for_their_user_alone(files):
    upload(files)
    with files.work(JOB) as work:
        (work / "readings.csv").write_text("happy")
        files.publish(JOB, work)
    assert files.results(JOB).stat().st_mode & 0o077 == 0
