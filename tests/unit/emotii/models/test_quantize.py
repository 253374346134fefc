"""The network of a model in 8-bit integers: created, accepted or rejected, and used for inference."""

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest

from contract.errors import ModelError, SettingsError
from contract.model.folder import INT8_BIN, INT8_XML, MODEL_FILE, ModelFolder, shipped_models
from contract.model.labels import EMOTIONS_5
from contract.service.settings import load
from inference_service import engines
from inference_service.settings import InferenceSettings
from tests.unit.emotii.models.test_evaluate import run, write_faces

SHOWN = {emotion: 60 + 34 * place for place, emotion in enumerate(EMOTIONS_5)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The shipped emotii-5 without its network in 8-bit integers."""
    folder = tmp_path / "emotii-5"
    shutil.copytree(shipped_models() / "emotii-5", folder, ignore=shutil.ignore_patterns("*-int8.*"))
    about = json.loads((folder / MODEL_FILE).read_text())
    about["files"] = {name: digest for name, digest in about["files"].items() if "-int8" not in name}
    (folder / MODEL_FILE).write_text(json.dumps(about))
    return folder


def engine(model: Path, precision: str) -> engines.Engine:
    return engines.load(load(InferenceSettings, model=str(model), precision=precision, threads=1, batch=8))


@pytest.mark.long
def test_integers_are_added_with_hashes_listed_in_the_card_and_used_for_inference(model: Path, tmp_path: Path):
    faces = write_faces(tmp_path / "faces.npz", SHOWN, each=200)
    before = ModelFolder.open(model)
    floats = engine(model, "f32")
    for _ in range(2):  # the second time they are replaced
        assert "same emotion for" in run("quantize", "--model", model, "--data", faces, "--valid", faces)
    after = ModelFolder.open(model)
    assert {*after.card.files} - {*before.card.files} == {f"emotii-5{INT8_XML}", f"emotii-5{INT8_BIN}"}
    assert after.card.model_copy(update={"files": before.card.files}) == before.card
    card = (model / "README.md").read_text(encoding="utf-8")
    assert card.count(INT8_XML) == card.count(INT8_BIN) == 1
    pixels = np.random.default_rng(1).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    integers = engine(model, "int8").classify(pixels)
    assert 0 < np.abs(integers - floats.classify(pixels)).max() < 0.2
    default = integers if platform.machine() == "x86_64" else engine(model, "bf16").classify(pixels)
    assert np.array_equal(engine(model, "auto").classify(pixels), default)
    assert np.array_equal(engine(model, "f32").classify(pixels), floats.classify(pixels))


@pytest.mark.long
def test_integers_with_different_results_are_rejected_and_nothing_changes(model: Path, tmp_path: Path):
    """Black faces do not show the range of the activations, so calibration on them fails."""
    faces = write_faces(tmp_path / "faces.npz", SHOWN)
    black = write_faces(tmp_path / "black.npz", dict.fromkeys(EMOTIONS_5, -1000))
    files = {path.name: path.read_bytes() for path in model.iterdir()}
    with pytest.raises(ModelError, match="in 8-bit integers differs too much"):
        run("quantize", "--model", model, "--data", black, "--valid", faces)
    assert {path.name: path.read_bytes() for path in model.iterdir()} == files


def test_integers_are_an_error_for_a_model_without_them_and_for_tensorflow(model: Path):
    with pytest.raises(ModelError, match="emotii quantize"):
        engine(model, "int8")
    with pytest.raises(SettingsError, match="tensorflow has no 8-bit integers"):
        engines.load(load(InferenceSettings, model=str(model), precision="int8", engine="tensorflow"))


def test_changed_weights_are_not_loaded(tmp_path: Path):
    folder = tmp_path / "emotii-5"
    shutil.copytree(shipped_models() / "emotii-5", folder)
    weights = folder / f"emotii-5{INT8_BIN}"
    changed = bytearray(weights.read_bytes())
    changed[1000] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(ModelError, match=r"is not the file that model\.json names"):
        engine(folder, "int8")
