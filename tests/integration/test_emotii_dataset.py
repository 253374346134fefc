"""From the gallery to a model: labelled faces are exported, and training of a shipped model continues with them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from api_gateway.faces.filename import FaceName
from api_gateway.faces.store import FaceStore
from contract.model.folder import find_model
from emotii.commands.models import app
from tests.integration.test_training_train import synthetic
from tests.lazy import LazyModule
from training.recipe import EMOTII

training = LazyModule("training.train")

pytestmark = [
    # Keras 3.15 on NumPy 2.4.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]
LABELS = ("angry", "bored", "happy")
"""No shipped model knows the second one."""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_training_of_a_shipped_model_continues_with_faces_that_people_labelled(tmp_path: Path):
    store = FaceStore(tmp_path / "faces")
    at = datetime(2026, 1, 31, tzinfo=UTC)
    for number, (image, label) in enumerate(zip(*synthetic(16, 0), strict=True)):
        if label < len(LABELS):
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            saved = store.save(jpeg, FaceName("neutral", 80.0, at + timedelta(seconds=number)))
            store.label(saved, LABELS[label])
    out = tmp_path / "mine"
    result = CliRunner().invoke(app, ["dataset", "export", "--faces", str(tmp_path / "faces"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "wrote 48 faces" in result.output
    recipe = replace(EMOTII, epochs=1, batch_size=16)
    model = training.train(
        out, None, tmp_path / "models" / "mine", recipe, start=find_model("emotii-8"), run=tmp_path / "run"
    )
    assert set(model.card.labels) == set(LABELS)
