"""The commands evaluate, calibrate and visualize, with a model that classifies faces by brightness."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from contract.errors import PictureError, SettingsError
from contract.model.folder import ModelFolder
from contract.model.labels import EMOTIONS_5, FER_PLUS_VOTES
from emotii.__main__ import app
from tests.inference import write_tiny_model
from training.export.card import calibration

# The brighter a face, the more the model prefers the last label: it misclassifies all angry faces.
SHOWN = {"angry": 40, "surprise": 215}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny")


def write_faces(path: Path, shown: dict[str, int], each: int = 60, wrong: int = 6) -> Path:
    """Noise with a brightness per emotion; the first `wrong` faces of each have the label of the next emotion."""
    rng = np.random.default_rng(0)
    emotions = list(shown)
    images, votes = [], []
    for place, emotion in enumerate(emotions):
        images.append(np.clip(rng.normal(shown[emotion], 20, (each, 48, 48)), 0, 255).astype(np.uint8))
        for number in range(each):
            label = emotions[(place + 1) % len(emotions)] if number < wrong else emotion
            votes.append(np.eye(10, dtype=np.uint8)[FER_PLUS_VOTES.index(label)] * 10)
    np.savez(path, images=np.concatenate(images), votes=np.array(votes))
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_evaluate_prints_json_and_draws_both_figures(model: Path, tmp_path: Path):
    data = write_faces(tmp_path / "faces.npz", SHOWN)
    report = json.loads(
        run("evaluate", "--model", model, "--data", data, "--json", "--figures", tmp_path / "drawn").splitlines()[-1]
    )
    assert report["model"] == "tiny@1.0.0"
    assert report["faces"] == 120
    assert report["accuracy"] == 0.5
    assert report["recall"] == {"angry": 0, "surprise": 1}
    assert report["precision"] == {"angry": None, "surprise": 0.5}
    assert report["intervals"]["accuracy"][0] < 0.5 < report["intervals"]["accuracy"][1]
    assert report["agreement"]["openvino bf16"]["same_top"] == 1
    for name in ("confusion.png", "reliability.png"):
        assert (tmp_path / "drawn" / name).read_bytes().startswith(b"\x89PNG")


def test_evaluate_prints_tables(model: Path, tmp_path: Path):
    data = write_faces(tmp_path / "faces.npz", SHOWN)
    printed = run("evaluate", "--model", model, "--data", data, "--no-agreement", "--figures", tmp_path)
    assert re.search(r"tiny@1\.0\.0 with openvino in (f32|bf16) on 120 faces of faces\.npz", printed)
    assert "50.0%" in printed
    assert "two stops down" in printed


def test_evaluate_reads_class_folders_of_any_size_and_spelling(model: Path, tmp_path: Path):
    rng = np.random.default_rng(0)
    for folder, brightness in {"Angry": 40, "SUPRISE": 215}.items():
        (tmp_path / "faces" / folder).mkdir(parents=True)
        for number in range(30):
            picture = np.clip(rng.normal(brightness, 20, (96, 80, 3)), 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(tmp_path / "faces" / folder / f"{number}.png"), picture)
    (tmp_path / "faces" / "Angry" / "phone.heic").touch()

    arguments = ["evaluate", "--model", model, "--data", tmp_path / "faces", "--json", "--figures", tmp_path]
    result = CliRunner().invoke(app, [*map(str, arguments)])
    report = json.loads(result.stdout)

    assert "left out, of a format that is not read (.heic):" in result.stderr
    assert "Angry/phone.heic" in result.stderr.replace("\n", "")
    assert report["faces"] == 60
    assert report["engine_precision"] in {"f32", "bf16"}
    assert report["recall"] == {"angry": 0, "surprise": 1}


def test_visualize_draws_the_activations_of_a_picture_that_is_one_face(tmp_path: Path):
    face = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "face.png"), face)

    sheet = tmp_path / "sheet.png"
    printed = run("visualize", tmp_path / "face.png", "--whole", "--model", "emotii-5", "--sheet", sheet)

    assert "sheet.png" in printed
    height, width = cv2.imread(str(sheet)).shape[:2]
    assert min(height, width) > 500, "a legible sheet"


def test_visualize_suggests_the_whole_picture_if_no_face_is_found(tmp_path: Path):
    assert cv2.imwrite(str(tmp_path / "gray.png"), np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(PictureError, match="0 faces found, so there is no face 1"):
        run("visualize", tmp_path / "gray.png", "--sheet", tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


def test_evaluate_applies_what_calibrate_writes(model: Path, tmp_path: Path):
    brightness = {emotion: 20 + 52 * place for place, emotion in enumerate(EMOTIONS_5)}
    data = write_faces(tmp_path / "faces.npz", brightness)
    (model / "README.md").write_text(f"As ever. {calibration(ModelFolder.open(model).card)} The end.")
    before = ModelFolder.open(model).card
    assert "temperature" in run("calibrate", "--model", model, "--data", data, "--precision", "0.6")
    after = ModelFolder.open(model).card
    assert after.temperature != 1
    assert after.uncertain is not None
    assert after.uncertain.precision == 0.6
    assert (model / "README.md").read_text().startswith(f"As ever. {calibration(after)} (Chosen anew")
    assert after.model_copy(update={"temperature": 1.0, "uncertain": None}) == before
    again = run("calibrate", "--model", model, "--data", data, "--precision", "0.6")
    assert ModelFolder.open(model).card.temperature == pytest.approx(after.temperature, rel=0.01), again
    report = json.loads(
        run("evaluate", "--model", model, "--data", data, "--json", "--no-agreement", "--figures", tmp_path)
    )
    assert report["answered"]["precision"] >= 0.6
    assert report["answered"]["coverage"] < 1
    assert report["answered"]["thresholds"]["precision"] == 0.6


def test_calibrate_rejects_data_without_faces_of_an_emotion(model: Path, tmp_path: Path):
    data = write_faces(tmp_path / "faces.npz", SHOWN)
    kept = (model / "model.json").read_bytes()
    with pytest.raises(SettingsError, match="has no face for fear, happy, sad"):
        run("calibrate", "--model", model, "--data", data)
    assert (model / "model.json").read_bytes() == kept
