"""The output files of an analysis: which are written, and where."""

from pathlib import Path

import pytest

from contract.errors import SettingsError
from jobs_service.outputs.outputs import Outputs


def test_two_outputs_of_the_same_name_are_refused(tmp_path):
    both = Outputs(readings_csv=tmp_path / "a", readings_jsonl=tmp_path / "." / "a")
    with pytest.raises(SettingsError, match="the same name"), both.unfinished():
        pass


def test_the_error_for_an_analysis_without_outputs_lists_the_available_ones():
    with pytest.raises(SettingsError, match=r"--out FOLDER, or one of --csv"), Outputs().unfinished():
        pass


def test_a_video_needs_the_suffix_of_its_format(tmp_path):
    with pytest.raises(SettingsError, match=r"ends in .webm"), Outputs(annotated_webm=tmp_path / "a.mp4").unfinished():
        pass


def test_a_failed_analysis_removes_the_folder_that_it_created_but_not_an_existing_one(tmp_path):
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


def test_one_output_can_be_written_elsewhere_while_the_others_stay_together(tmp_path):
    outputs = Outputs.all_in(tmp_path / "out").overridden_by(Outputs(readings_csv=tmp_path / "faces.csv"))
    assert outputs.readings_csv == tmp_path / "faces.csv"
    assert outputs.report_html == tmp_path / "out" / "report.html"
