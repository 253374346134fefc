"""`emotii quantize`: a model's network in 8-bit integers beside that in floats, if it answers as well."""

from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from contract.atomic_file import writable, write_atomically
from contract.errors import ModelError
from contract.model.folder import INT8_BIN, INT8_XML, MODEL_FILE, ModelCard, ModelFolder, find_model, sha256
from contract.model.openvino import openvino
from contract.service.settings import load
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from training.datasets.faces import Faces
from training.evaluation.agreement import Agreement, compare
from training.evaluation.faces import Half, over, read_known
from training.export.card import CARD_FILE, in_integers
from training.export.quantize import quantized


def quantize_model(model: str, data: Path, valid: Path, half: Half | None) -> Agreement:
    """Write the network in integers into the model's folder, with its hashes, and tell it in the card.

    Args:
        model: a name or a folder.
        data: faces that the model was trained on.
        valid: faces that it was not trained on, which say whether the integers answer as well.
        half: of `valid`, so that the other one can report; None takes all of it.

    Raises:
        ModelError, DatasetError: model or faces cannot be had, or the integers answer worse; nothing is changed.
        SettingsError: the folder cannot be written.
    """
    found = find_model(model)
    seen = read_known(data, found.card.labels)
    asked = read_known(valid, found.card.labels, half=half)
    with TemporaryDirectory(prefix="emotii-") as scratch:
        network = quantized(found.file(".onnx"), found.card.normalisation, seen.images)
        tried = _with_integers(found, Path(scratch), network)
        agreement = _agreement(tried, asked)
        if not agreement.holds("int8"):
            raise ModelError(
                f"{found.card.id} answers otherwise in 8-bit integers: the same for {agreement.same_top:.1%} of the"
                f" faces, accuracy {100 * agreement.accuracy_difference:+.1f} points; it stays as it is"
            )
        _keep(tried, found.folder, agreement)
    return agreement


def _agreement(folder: Path, faces: Faces) -> Agreement:
    """The integers against 32-bit floats."""

    def answers(precision: str) -> NDArray[np.float32]:
        given = {"engine": "openvino", "precision": precision, "batch": 128, "threads": 0}
        engine = load_engine(load(InferenceSettings, model=str(folder), **given))
        return over(engine.classify(faces.images), engine.card.labels, faces.emotions)

    return compare(answers("f32"), answers("int8"), faces.labels)


def _with_integers(found: ModelFolder, scratch: Path, network: "openvino.Model") -> Path:
    """A folder with the model as it would be."""
    folder = scratch / found.card.name
    folder.mkdir()
    xml = folder / f"{found.card.name}{INT8_XML}"
    openvino.save_model(network, xml, compress_to_fp16=False)
    copyfile(found.file(".onnx"), folder / found.file(".onnx").name)
    files = {file.name: sha256(file) for file in (xml, folder / f"{found.card.name}{INT8_BIN}")}
    card = found.card.model_copy(update={"files": {**found.card.files, **files}})
    (folder / MODEL_FILE).write_bytes(_as_json(card))
    return folder


def _keep(tried: Path, folder: Path, agreement: Agreement) -> None:
    """Move the files into the model's folder, so that whatever comes between it is a model: at worst one in floats."""
    card = ModelCard.model_validate_json((tried / MODEL_FILE).read_bytes())
    files = [tried / f"{card.name}{INT8_XML}", tried / f"{card.name}{INT8_BIN}"]
    floats = {name: digest for name, digest in card.files.items() if not name.endswith((INT8_XML, INT8_BIN))}
    write_atomically(folder / MODEL_FILE, _as_json(card.model_copy(update={"files": floats})))
    for file in files:
        write_atomically(folder / file.name, file.read_bytes())
    if (told := folder / CARD_FILE).exists():
        with writable(told):
            text = told.read_text(encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in files}
        write_atomically(told, in_integers(text, card, sizes, agreement).encode())
    write_atomically(folder / MODEL_FILE, _as_json(card))


def _as_json(card: ModelCard) -> bytes:
    return f"{card.model_dump_json(indent=2)}\n".encode()
