"""Writing the model folder: the network for every engine, its figures, its card and, last, its `model.json`."""

import math
import warnings
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from contract.errors import ModelError
from contract.model.calibration import tempered
from contract.model.folder import MODEL_FILE, ModelCard, ModelFolder, sha256
from contract.model.normalisation import CROP_SIZE
from contract.model.openvino import core
from training.evaluation.calibrate import calibrated
from training.evaluation.evaluate import evaluate
from training.evaluation.report import Report
from training.export.card import CARD_FILE, card
from training.export.figures import draw_confusion, draw_curves
from training.export.training_result import TrainingResult

OPSET = 17
AGREEMENT = 1e-4
"""How far a probability may differ between Keras and OpenVINO, both in 32-bit floats."""


def export(trained: TrainingResult, folder: Path, version: str) -> ModelFolder:
    """Write the model, named after `folder`.

    A folder without `model.json` is no model. It goes first and comes back last, after the files were checked, so that
    an export that is interrupted or fails leaves nothing that could be served by mistake.

    Raises:
        ModelError: the ONNX file does not compute what the network computes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).unlink(missing_ok=True)
    network = _without_optimizer(trained.network)
    keras_file, onnx_file = folder / f"{folder.name}.keras", folder / f"{folder.name}.onnx"
    network.save(keras_file)
    _write_onnx(network, onnx_file)
    difference = disagreement(keras_file, onnx_file)
    if not difference <= AGREEMENT:
        raise ModelError(
            f"{onnx_file} differs from the Keras network by {difference:.1e}; at most {AGREEMENT:.0e} is allowed"
        )
    curves, confusion = folder / "curves.png", folder / "confusion.png"
    draw_curves(trained.history, curves)
    draw_confusion(trained.scores, confusion)
    about = ModelCard(
        name=folder.name,
        version=version,
        labels=trained.recipe.emotions,
        normalisation=trained.recipe.normalisation,
        files={file.name: sha256(file) for file in (keras_file, onnx_file, curves, confusion)},
    )
    about = calibrated(about, *trained.choosing)
    report = _report(about, network, trained)
    about = about.model_copy(update={"scores": figures(report)})
    sizes = {file.name: file.stat().st_size for file in (keras_file, onnx_file)}
    (folder / CARD_FILE).write_text(card(about, trained, report, sizes), encoding="utf-8")
    (folder / MODEL_FILE).write_text(about.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return ModelFolder.open(folder)


def figures(report: Report) -> dict[str, float]:
    """The scores in `model.json`: on clean faces, of the answers, and accuracy under worse conditions."""
    found = report.scores.figures() | {"macro_f1": report.scores.macro_f1, "ece": report.reliability.error}
    found |= {"answered_coverage": report.answered.coverage, "answered_precision": report.answered.precision}
    found |= {f"accuracy_{'_'.join(name.split())}": worse.accuracy for name, worse in report.robustness.items()}
    # JSON has no NaN, and a share of no faces is not a score.
    return {name: round(figure, 6) for name, figure in found.items() if not math.isnan(figure)}


def _report(about: ModelCard, network: keras.Model, trained: TrainingResult) -> Report:
    """The evaluation on half B, with temperature and thresholds."""

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        probabilities = network.predict(about.normalisation.apply(images), batch_size=256, verbose=0)
        return tempered(probabilities, about.temperature)

    faces = replace(trained.reporting, shares=None)
    return evaluate(about, "keras", "f32", classify, faces, trained.scored_on, {})


def disagreement(keras_file: Path, onnx_file: Path) -> float:
    """The largest difference of one probability between the two files, over noise and flat faces, both in float32.

    The files are read back, in batches of several sizes, since they and not the network in memory are what is served.
    """
    network = keras.saving.load_model(keras_file, compile=False, safe_mode=True)
    compiled = core().compile_model(onnx_file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    largest = 0.0
    for faces in _probes():
        expected, found = network.predict(faces, verbose=0), compiled(faces)[0]
        # A NaN in either is the largest difference; max() alone would ignore it.
        largest = max(largest, float(np.nan_to_num(np.abs(expected - found), nan=np.inf).max()))
    return largest


def _probes() -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    noise = rng.random((61, CROP_SIZE, CROP_SIZE, 1), np.float32)
    slope = np.broadcast_to(np.linspace(0, 1, CROP_SIZE, dtype=np.float32)[:, None, None], noise.shape[1:])
    plain = np.stack([np.zeros_like(slope), np.ones_like(slope), slope])
    return [plain, noise, noise[:1]]


def _without_optimizer(model: keras.Model) -> keras.Model:
    """The same network, not compiled: the two moments of Adam would make the file three times as large."""
    bare = keras.Model.from_config(model.get_config())  # a clone would be compiled again
    bare.set_weights(model.get_weights())
    bare(np.zeros((1, CROP_SIZE, CROP_SIZE, 1), np.float32))  # Keras exports only what has been called
    return bare


def _write_onnx(network: keras.Model, path: Path) -> None:
    """As ONNX with any batch size: `face` (batch, 48, 48, 1) float32 in, `probabilities` (batch, classes) out."""
    face = keras.InputSpec(shape=(None, CROP_SIZE, CROP_SIZE, 1), dtype="float32", name="face")
    with warnings.catch_warnings():
        # Keras 3.15 uses a NumPy name that old converters need; users cannot act on the warning.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        network.export(path, format="onnx", verbose=False, input_signature=[face], opset_version=OPSET)
    model = onnx.load(path)
    # The converter names the output `Identity:0` and numbers the batch axes arbitrarily.
    output = model.graph.output[0]
    for node in model.graph.node:
        node.output[:] = ["probabilities" if name == output.name else name for name in node.output]
    output.name = "probabilities"
    for end in (model.graph.input[0], output):
        end.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
