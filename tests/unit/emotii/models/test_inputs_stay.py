"""No command overwrites what it reads, a device, or a file that somebody else writes."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from contract.errors import SettingsError
from emotii.__main__ import app

COMMANDS = {
    "the video": ["analyze", "clip.webm", "--annotated", "clip.webm"],
    "the video as a table": ["analyze", "clip.webm", "--csv", "./clip.webm"],
    "a link to the video": ["analyze", "clip.webm", "--annotated", "link.webm"],
    "a video that is read through a link": ["analyze", "link.webm", "--annotated", "clip.webm"],
    "a report": ["report", "clip.webm", "--out", "clip.webm"],
    "a picture of the folder": ["analyze", "photos", "--timeline", "photos/one.png"],
    "a new picture in the folder": ["analyze", "photos", "--timeline", "photos/new.png"],
    "all outputs into the folder of pictures": ["analyze", "photos", "--out", "photos"],
    "a device": ["analyze", "clip.webm", "--csv", "null"],
    "a pipe": ["analyze", "clip.webm", "--jsonl", "pipe"],
    "one name twice": ["analyze", "clip.webm", "--csv", "a.csv", "--episodes", "A.csv"],
    "the picture of a prediction": ["predict", "photos/one.png", "--chart", "photos/one.png"],
    "a chart that is a picture of the prediction": ["predict", "photos/two.png", "photos/one.png", "--chart", "chart"],
    "the explained picture": ["visualize", "photos/one.png", "--sheet", "photos/one.png"],
    "figures in a class of the faces": ["evaluate", "--data", "faces", "--figures", "faces/happy"],
    "a table of faces": ["dataset", "ferplus", "fer.npz", "votes.npz", "--out", "fer.npz"],
    "saved faces": ["dataset", "export", "--faces", "faces", "--out", "faces/happy/all"],
    "a model among the faces": ["train", "--data", "faces", "--out", "faces/mine"],
    "a network in place of the faces": ["train", "--data", "faces.h5", "--out", "mine", "--h5", "faces.h5"],
}


def files(folder: Path) -> dict[str, object]:
    """Each file with its content; of a link, where it points to."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_would_destroy_something_is_refused_and_changes_nothing(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for name in ("clip.webm", "faces.h5", "fer.npz", "votes.npz"):
        Path(name).write_text(f"the content of {name}")
    for name in ("photos/one.png", "photos/two.png", "faces/happy/one.png", "faces/sad/one.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(name, np.full((48, 48, 3), 128, np.uint8))
    Path("link.webm").symlink_to("clip.webm")
    Path("chart").symlink_to("photos/one.png")
    Path("null").symlink_to(os.devnull)
    os.mkfifo("pipe")
    before = files(tmp_path)

    result = CliRunner().invoke(app, command)

    assert isinstance(result.exception, SettingsError), result.output
    assert files(tmp_path) == before
