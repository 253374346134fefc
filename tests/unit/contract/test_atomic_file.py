"""Files that are whole or not there."""

import os
from pathlib import Path

import pytest

from contract.atomic_file import AtomicFile, TextFile
from contract.errors import SettingsError
from jobs_service.outputs.outputs import Outputs

FULL_DISK = Path("/dev/full")


def test_the_file_is_in_its_place_only_when_all_went_well(tmp_path):
    path = tmp_path / "a.csv"
    whole = AtomicFile(path)
    with whole, TextFile(whole) as file:
        file.write("all of it")
        file.flush()
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.csv"]
    assert path.read_text() == "all of it"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    whole = AtomicFile(path)
    with pytest.raises(ZeroDivisionError), whole, TextFile(whole) as file:
        file.write(str(1 / 0))
    assert path.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not FULL_DISK.exists(), reason="not Linux: no /dev/full")
@pytest.mark.parametrize("size", [10, 1_000_000], ids=["at its end", "in the middle"])
def test_a_full_disk_is_one_line_that_names_the_file(tmp_path, size):
    whole = AtomicFile(tmp_path / "a.csv")
    os.unlink(whole.partial)
    whole.partial.symlink_to(FULL_DISK)
    with pytest.raises(SettingsError, match=r"cannot write .*a.csv: No space left on device"), whole:  # noqa: SIM117
        with TextFile(whole) as file:
            file.write("x" * size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", ".", "folder", "folder/..", "/"])
def test_a_folder_is_no_file(tmp_path, monkeypatch, name):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="it is a folder"):
        AtomicFile(Path(name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_two_outputs_of_the_same_name_are_refused(tmp_path):
    both = Outputs(readings_csv=tmp_path / "a", readings_jsonl=tmp_path / "." / "a")
    with pytest.raises(SettingsError, match="the same name"), both.unfinished():
        pass


def test_an_analysis_without_any_output_says_which_there_are():
    with pytest.raises(SettingsError, match=r"--out FOLDER, or one of --csv"), Outputs().unfinished():
        pass


def test_a_video_needs_the_suffix_of_its_format(tmp_path):
    with pytest.raises(SettingsError, match=r"ends in .webm"), Outputs(annotated_webm=tmp_path / "a.mp4").unfinished():
        pass


def test_a_folder_that_was_made_for_the_outputs_goes_when_they_fail_and_one_that_was_there_stays(tmp_path):
    (tmp_path / "there").mkdir()

    def fail_in(folder: Path) -> None:
        with Outputs.all_in(folder).unfinished(folder):
            assert len(list(folder.iterdir())) == len(Outputs.names())
            raise ZeroDivisionError

    for name in ("new/deep", "there"):
        with pytest.raises(ZeroDivisionError):
            fail_in(tmp_path / name)
    assert not (tmp_path / "new/deep").exists()
    assert not list((tmp_path / "there").iterdir())


def test_one_output_can_go_elsewhere_while_the_others_stay_together(tmp_path):
    outputs = Outputs.all_in(tmp_path / "out").overridden_by(Outputs(readings_csv=tmp_path / "faces.csv"))
    assert outputs.readings_csv == tmp_path / "faces.csv"
    assert outputs.report_html == tmp_path / "out" / "report.html"
