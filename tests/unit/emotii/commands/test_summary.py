"""The summary of an analysis."""

import io
from pathlib import Path

from rich.console import Console

from emotii.commands.summary import print_summary
from jobs_service.outputs.outcomes import UnclassifiedFace
from jobs_service.outputs.outputs import Outputs
from tests.recording import outcome, reading, recorded


def summary(folder: Path, *frames, stated: int | None = None) -> str:
    output = io.StringIO()
    record, _ = recorded(folder, *frames)
    record.counts.stated_frames = stated
    print_summary(record, Outputs(readings_csv=Path("faces.csv")), Console(file=output, width=40))
    return output.getvalue()


def test_the_summary_warns_of_unreadable_frames_and_of_an_early_end(tmp_path):
    text = summary(tmp_path, *(outcome(n, note=f"damage {n}" if n in {2, 3} else "") for n in range(5)), stated=9)
    assert "2 frames could not be read, the first is number 2: damage 2" in text
    assert "ended at 5 of the 9 frames" in text


def test_the_summary_contains_faces_emotions_unclassified_faces_and_files(tmp_path):
    text = summary(tmp_path, outcome(0, UnclassifiedFace(0, 0, "poison"), reading(0, index=1)))
    assert "2 faces of 1 track in 1 frame" in text
    assert "awake 100%" in text
    assert "1 face could not be classified, the first in frame 0: poison" in text
    assert "Written: faces.csv" in text


def test_the_summary_counts_smoothed_emotions_as_the_report_does_and_says_so(tmp_path):
    frames = [outcome(n, reading(n, awake=0.05 if n == 10 else 0.95)) for n in range(20)]
    assert "Emotions (smoothed over time): awake 100%" in summary(tmp_path, *frames)


def test_the_summary_of_a_sound_recording_has_no_warning(tmp_path):
    text = summary(tmp_path, outcome(0), stated=1)
    assert "could not" not in text
    assert "ended" not in text
