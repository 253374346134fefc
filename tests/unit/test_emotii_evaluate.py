"""The commands that measure and calibrate, on a model that sorts faces by brightness."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contract.errors import SettingsError
from contract.labels import EMOTIONS_5, FER_PLUS_VOTES
from contract.model import ModelFolder
from emotii.__main__ import app
from tests.inference import write_tiny_model

# The model leans to the last label, the more the brighter a face is: the angry ones are all missed.
SHOWN = {"angry": 40, "surprise": 215}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny")


def write_faces(path: Path, shown: dict[str, int], each: int = 60, wrong: int = 6) -> Path:
    """Noise of the brightness that each emotion has; of each the first few have the label of the next one."""
    rng = np.random.default_rng(0)
    emotions = list(shown)
    images, votes = [], []
    for place, emotion in enumerate(emotions):
        images.append(np.clip(rng.normal(shown[emotion], 20, (each, 48, 48)), 0, 255).astype(np.uint8))
        for number in range(each):
            told = emotions[(place + 1) % len(emotions)] if number < wrong else emotion
            votes.append(np.eye(10, dtype=np.uint8)[FER_PLUS_VOTES.index(told)] * 10)
    np.savez(path, images=np.concatenate(images), votes=np.array(votes))
    return path


def ran(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_evaluate_prints_json_and_draws_both_pictures(model: Path, tmp_path: Path):
    data = write_faces(tmp_path / "faces.npz", SHOWN)
    report = json.loads(
        ran("evaluate", "--model", model, "--data", data, "--json", "--figures", tmp_path / "drawn").splitlines()[-1]
    )
    assert report["model"] == "tiny@1.0.0"
    assert report["faces"] == 120
    assert report["accuracy"] == 0.5
    assert report["recall"] == {"angry": 0, "surprise": 1}
    assert report["precision"] == {"angry": None, "surprise": 0.5}
    assert report["intervals"]["accuracy"][0] < 0.5 < report["intervals"]["accuracy"][1]
    assert report["agreement"]["openvino auto"]["same_top"] == 1
    for name in ("confusion.png", "reliability.png"):
        assert (tmp_path / "drawn" / name).read_bytes().startswith(b"\x89PNG")


def test_evaluate_prints_tables_for_people(model: Path, tmp_path: Path):
    data = write_faces(tmp_path / "faces.npz", SHOWN)
    told = ran("evaluate", "--model", model, "--data", data, "--no-agreement", "--figures", tmp_path)
    assert "tiny@1.0.0 with openvino on 120 faces of faces.npz" in told
    assert "50.0%" in told
    assert "two stops down" in told


def test_calibrate_writes_what_evaluate_then_applies(model: Path, tmp_path: Path):
    brightness = {emotion: 20 + 52 * place for place, emotion in enumerate(EMOTIONS_5)}
    data = write_faces(tmp_path / "faces.npz", brightness)
    before = ModelFolder.open(model).card
    assert "temperature" in ran("calibrate", "--model", model, "--data", data, "--precision", "0.6")
    after = ModelFolder.open(model).card
    assert after.temperature != 1
    assert after.uncertain is not None
    assert after.uncertain.precision == 0.6
    assert after.model_copy(update={"temperature": 1.0, "uncertain": None}) == before
    again = ran("calibrate", "--model", model, "--data", data, "--precision", "0.6")
    assert ModelFolder.open(model).card.temperature == pytest.approx(after.temperature, rel=0.01), again
    report = json.loads(
        ran("evaluate", "--model", model, "--data", data, "--json", "--no-agreement", "--figures", tmp_path)
    )
    assert report["answered"]["precision"] >= 0.6
    assert report["answered"]["coverage"] < 1
    assert report["answered"]["thresholds"]["precision"] == 0.6


def test_calibrate_refuses_data_that_lacks_an_emotion(model: Path, tmp_path: Path):
    data = write_faces(tmp_path / "faces.npz", SHOWN)
    kept = (model / "model.json").read_bytes()
    with pytest.raises(SettingsError, match="has no face for fear, happy, sad"):
        ran("calibrate", "--model", model, "--data", data)
    assert (model / "model.json").read_bytes() == kept
