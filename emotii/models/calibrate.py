"""`emotii calibrate`: fits a model's temperature and thresholds on faces that it was not trained on."""

from pathlib import Path

from rich.console import Console

from contract.atomic_file import writable, write_atomically
from contract.errors import SettingsError
from contract.model.calibration import tempered
from contract.model.folder import MODEL_FILE, ModelCard, find_model
from contract.service.settings import load
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from training.datasets.left_out import summary
from training.evaluation.calibrate import calibrated
from training.evaluation.faces import Half, read_known
from training.export.card import CARD_FILE, recalibrated


def calibrate_model(model: str, data: Path, half: Half | None, precision: float, console: Console) -> ModelCard:
    """Fit both and write them into the model's `model.json` and its card. The network does not change.

    Args:
        model: a name or a folder.
        data: faces for every emotion of the model.
        half: of a validation set, so that the other half can report; None uses all of it.
        precision: the target share of correct answers.
        console: for what is left out.

    Raises:
        ModelError, DatasetError: the model or the faces cannot be loaded.
        SettingsError: `model.json` cannot be written, or an emotion has no face.
    """
    folder = find_model(model).folder
    engine = load_engine(load(InferenceSettings, model=model, precision="f32", batch=128, threads=0))
    faces = read_known(data, engine.card.labels, half=half)
    for line in summary(faces.left_out):
        console.out(line)
    if faces.emotions != engine.card.labels:
        missing = ", ".join(label for label in engine.card.labels if label not in faces.emotions)
        raise SettingsError(f"{data} has no face for {missing}: thresholds for {engine.card.id} need every emotion")
    # Undoes the engine's temperature: the fit starts from the probabilities of the network itself.
    probabilities = tempered(engine.classify(faces.images), 1 / engine.card.temperature)
    card = calibrated(engine.card, probabilities, faces.labels, precision)
    if (card_file := folder / CARD_FILE).exists():
        with writable(card_file):
            text = card_file.read_text(encoding="utf-8")
        write_atomically(card_file, recalibrated(text, engine.card, card).encode())
    write_atomically(folder / MODEL_FILE, f"{card.model_dump_json(indent=2)}\n".encode())
    return card
