"""`emotii quantize`: adds the network of a model in 8-bit integers, if its results are as good as those in floats."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from contract.atomic_file import writable, write_atomically
from contract.errors import ModelError
from contract.model.folder import INT8_BIN, INT8_XML, MODEL_FILE, ModelCard, ModelFolder, find_model, sha256
from contract.model.openvino import openvino
from contract.service.settings import load
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from training.datasets.faces import Faces
from training.datasets.left_out import summary
from training.evaluation.agreement import Agreement, compare
from training.evaluation.faces import Half, over, read_known
from training.export.card import CARD_FILE, in_integers
from training.export.quantize import quantized


def quantize_model(model: str, data: Path, valid: Path, half: Half | None, console: Console) -> Agreement:
    """Write the network in 8-bit integers into the model's folder, and update `model.json` and the card.

    Args:
        model: a name or a folder.
        data: faces that the model was trained on.
        valid: faces that it was not trained on, to compare the results.
        half: of `valid`, so that the other half can report; None uses all of it.
        console: for what is left out.

    Raises:
        ModelError, DatasetError: the model or the faces cannot be loaded, or the results are worse; nothing is changed.
        SettingsError: the folder cannot be written.
    """
    found = find_model(model)
    training_faces = read_known(data, found.card.labels)
    valid_faces = read_known(valid, found.card.labels, half=half)
    for line in (*summary(training_faces.left_out), *summary(valid_faces.left_out)):
        console.out(line)
    with TemporaryDirectory(prefix="emotii-") as scratch:
        with found.copied(".onnx") as onnx_file:
            network = quantized(onnx_file, found.card.normalisation, training_faces.images)
        candidate = _with_integers(found, Path(scratch), network)
        agreement = _agreement(candidate, valid_faces)
        if not agreement.holds("int8"):
            raise ModelError(
                f"{found.card.id} in 8-bit integers differs too much: the same emotion for {agreement.same_top:.1%} of"
                f" the faces, accuracy {100 * agreement.accuracy_difference:+.1f} points; the model is unchanged"
            )
        _keep(candidate, found.folder, agreement)
    return agreement


def _agreement(folder: Path, faces: Faces) -> Agreement:
    """The results in 8-bit integers compared with those in 32-bit floats."""

    def results(precision: str) -> NDArray[np.float32]:
        given = {"engine": "openvino", "precision": precision, "batch": 128, "threads": 0}
        engine = load_engine(load(InferenceSettings, model=str(folder), **given))
        return over(engine.classify(faces.images), engine.card.labels, faces.emotions)

    return compare(results("f32"), results("int8"), faces.labels)


def _with_integers(found: ModelFolder, scratch: Path, network: "openvino.Model") -> Path:
    """A folder with the model and its network in 8-bit integers."""
    folder = scratch / found.card.name
    folder.mkdir()
    xml = folder / f"{found.card.name}{INT8_XML}"
    openvino.save_model(network, xml, compress_to_fp16=False)
    onnx_file = next(name for name in found.card.files if name.endswith(".onnx"))
    (folder / onnx_file).write_bytes(found.read(".onnx"))
    files = {file.name: sha256(file) for file in (xml, folder / f"{found.card.name}{INT8_BIN}")}
    card = found.card.model_copy(update={"files": {**found.card.files, **files}})
    (folder / MODEL_FILE).write_bytes(_as_json(card))
    return folder


def _keep(candidate: Path, folder: Path, agreement: Agreement) -> None:
    """Copy the files into the model's folder in an order that leaves a valid model, if interrupted: one in floats."""
    card = ModelCard.model_validate_json((candidate / MODEL_FILE).read_bytes())
    files = [candidate / f"{card.name}{INT8_XML}", candidate / f"{card.name}{INT8_BIN}"]
    floats = {name: digest for name, digest in card.files.items() if not name.endswith((INT8_XML, INT8_BIN))}
    write_atomically(folder / MODEL_FILE, _as_json(card.model_copy(update={"files": floats})))
    for file in files:
        write_atomically(folder / file.name, file.read_bytes())
    if (card_file := folder / CARD_FILE).exists():
        with writable(card_file):
            text = card_file.read_text(encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in files}
        write_atomically(card_file, in_integers(text, card, sizes, agreement).encode())
    write_atomically(folder / MODEL_FILE, _as_json(card))


def _as_json(card: ModelCard) -> bytes:
    return f"{card.model_dump_json(indent=2)}\n".encode()
