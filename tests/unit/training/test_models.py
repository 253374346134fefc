"""The models that ship are what their `model.json` and their card say."""

import re

import numpy as np
import pytest

from contract.model.folder import INT8_BIN, INT8_XML, MODEL_FILE, ModelFolder, find_model, shipped_models
from contract.model.labels import EMOTIONS_5, EMOTIONS_8
from contract.model.openvino import core

FOLDERS = sorted(path.parent for path in shipped_models().glob(f"*/{MODEL_FILE}"))


def test_the_models_of_five_and_of_eight_emotions_ship():
    assert find_model("emotii-5").card.labels == EMOTIONS_5
    assert find_model("emotii-8").card.labels == EMOTIONS_8


def test_every_folder_among_the_models_is_a_model():
    assert sorted(path for path in shipped_models().iterdir() if path.is_dir()) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestShippedModel:
    def test_the_name_of_a_model_is_that_of_its_folder(self, folder):
        assert ModelFolder.open(folder).card.name == folder.name

    def test_every_file_has_the_stated_hash_and_none_is_unnamed(self, folder):
        model = ModelFolder.open(folder)

        assert {path.name for path in folder.iterdir()} == {*model.card.files, MODEL_FILE, "README.md"}
        for name in model.card.files:
            model.read(name)

    def test_the_card_states_size_and_hash_of_what_engines_read(self, folder):
        model = ModelFolder.open(folder)
        card = (folder / "README.md").read_text(encoding="utf-8")

        for suffix in (".keras", ".onnx", INT8_XML, INT8_BIN):
            name, size = f"{model.card.name}{suffix}", len(model.read(suffix))
            assert f"| `{name}` | {size:,} bytes, SHA-256 `{model.card.files[name]}` |" in card
            assert size < 4_000_000

    def test_any_batch_has_one_distribution_per_face(self, folder):
        model = ModelFolder.open(folder)
        compiled = core().compile_model(
            core().read_model(model.read(".onnx")), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        crops = np.random.default_rng(0).integers(0, 256, (7, 48, 48), dtype=np.uint8)

        for count in (1, 7):
            probabilities = compiled(model.card.normalisation.apply(crops[:count]))[0]
            assert probabilities.shape == (count, len(model.card.labels))
            assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)

    def test_the_scores_of_a_model_are_those_of_a_trained_network(self, folder):
        scores = ModelFolder.open(folder).card.scores

        assert scores["faces"] > 1000
        assert scores["accuracy"] > 0.75
        assert scores["mean_recall"] > 0.5

    def test_the_documents_state_the_scores_of_the_card(self, folder):
        scores = ModelFolder.open(folder).card.scores
        page = (folder.parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
        table = re.search(
            rf"^\| {folder.name}(?:, 8 classes)? \| ([\d,]+) \| ([\d.]+)% .*\| ([\d.]+)% ", page, re.MULTILINE
        )
        recalls = re.search(rf"^\| {folder.name} ((?:\| \d+ )+)\|", page, re.MULTILINE)

        assert table
        assert recalls
        assert table.groups() == (
            f"{scores['faces']:,.0f}",
            f"{100 * scores['accuracy']:.1f}",
            f"{100 * scores['mean_recall']:.1f}",
        )
        stated = [f"{100 * scores[f'recall_{label}']:.0f}" for label in ModelFolder.open(folder).card.labels]
        assert re.findall(r"\d+", recalls[1]) == stated
