"""The notebook runs from its first cell to its last."""

import json
from pathlib import Path

import pytest

from contract.model.folder import ModelFolder

NOTEBOOK = Path(__file__).parents[2] / "docs" / "train-your-own.ipynb"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_notebook_trains_a_model_of_its_own_classes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    names: dict[str, object] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)

    model = ModelFolder.open(tmp_path / "models" / "mine")
    assert model.card.labels == ("closed_mouth", "open_mouth")
    assert model.card.scores["faces"] == 20
    assert model.card.scores["accuracy"] > 0.7
    assert "# mine@1.0.0" in capsys.readouterr().out
