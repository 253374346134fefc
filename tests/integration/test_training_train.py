import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from contract.errors import ModelError, SettingsError
from contract.model.folder import ModelFolder, find_model
from contract.model.labels import EMOTIONS_5, FER_PLUS_VOTES
from contract.model.openvino import core
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from tests.lazy import LazyModule
from training.datasets.dataset import DatasetError
from training.datasets.faces import Faces
from training.datasets.halves import halves
from training.evaluation.calibration import fit_temperature
from training.evaluation.scores import score
from training.export.training_result import TrainingResult
from training.fitting.run import Run
from training.recipe import EMOTII, SEED, find_recipe

keras = LazyModule("keras")
exporting = LazyModule("training.export.model_folder")
training = LazyModule("training.train")

pytestmark = [
    # Keras 3.15 on NumPy 2.4.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]

TINY = replace(SEED, name="tiny", epochs=2, batch_size=32)


def synthetic(each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright bar whose height shows the emotion: (5 * each, 48, 48) uint8, and labels."""
    labels = np.repeat(np.arange(5), each)
    images = np.random.default_rng(seed).integers(0, 100, (len(labels), 48, 48), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[8 * label + 2 : 8 * label + 10] += 120
    return images, labels


def write_npz(path: Path, each: int, seed: int) -> Path:
    images, labels = synthetic(each, seed)
    columns = np.array([FER_PLUS_VOTES.index(emotion) for emotion in EMOTIONS_5])
    np.savez(path, images=images, votes=np.eye(10, dtype=np.uint8)[columns[labels]])
    return path


def write_folders(path: Path, each: int) -> Path:
    for number, (image, label) in enumerate(zip(*synthetic(each, 0), strict=True)):
        folder = path / ("Angry", "Fear", "Happy", "Sad", "Suprise")[label]
        folder.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / f"{number}.png"), image)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    place = tmp_path_factory.mktemp("training")
    data, valid = write_npz(place / "train.npz", 30, 0), write_npz(place / "valid.npz", 8, 1)
    return training.train(data, valid, place / "tiny-5", TINY, run=place / "run", console=Console(file=io.StringIO()))


def test_the_exported_folder_is_a_model_whose_files_have_the_stated_hashes(model):
    opened = ModelFolder.open(model.folder)

    assert opened.card.id == "tiny-5@1.0.0"
    assert opened.card.labels == EMOTIONS_5
    assert opened.card.normalisation == TINY.normalisation
    assert {"tiny-5.keras", "tiny-5.onnx"} <= set(opened.card.files)
    for name in opened.card.files:
        assert len(opened.read(name)) > 1000


def test_openvino_and_keras_compute_the_same_from_the_exported_files(model):
    images, _ = synthetic(7, seed=2)
    faces = model.card.normalisation.apply(images)
    compiled = core().compile_model(model.folder / "tiny-5.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    expected = keras.saving.load_model(model.folder / "tiny-5.keras").predict(faces, verbose=0)

    for rows in (slice(None), slice(1), slice(3, 20)):
        assert np.abs(compiled(faces[rows])[0] - expected[rows]).max() < 1e-4
    assert compiled.input(0).any_name == "face"
    assert compiled.output(0).any_name == "probabilities"
    assert compiled.output(0).partial_shape.to_string() == "[?,5]"


def test_the_stated_scores_are_those_of_the_exported_network_on_half_b_alone(model):
    unseen = halves(Faces(*synthetic(8, seed=1), EMOTIONS_5))[1]
    compiled = core().compile_model(model.folder / "tiny-5.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    found = score(compiled(model.card.normalisation.apply(unseen.images))[0], unseen.labels, EMOTIONS_5).figures()

    assert found["faces"] == 20
    assert {name: model.card.scores[name] for name in found} == found
    assert 0 <= model.card.scores["ece"] <= 1


def test_the_temperature_is_the_one_that_fits_half_a(model):
    chosen_on = halves(Faces(*synthetic(8, seed=1), EMOTIONS_5))[0]
    compiled = core().compile_model(model.folder / "tiny-5.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    fitted = fit_temperature(compiled(model.card.normalisation.apply(chosen_on.images))[0], chosen_on.labels)

    assert model.card.temperature == pytest.approx(fitted, rel=1e-3)


def test_the_part_of_each_face_is_written(model):
    with (model.folder.parent / "run" / "split.csv").open() as file:
        parts = Counter(row["part"] for row in csv.DictReader(file))

    assert parts == {"fitted": 150, "choosing": 20, "reporting": 20}


def test_the_keras_file_holds_no_optimizer(model):
    assert not keras.saving.load_model(model.folder / "tiny-5.keras").compiled
    assert (model.folder / "tiny-5.keras").stat().st_size < 4_000_000


def test_the_card_states_scores_sizes_and_forbidden_use_and_no_path_of_this_machine(model):
    card = (model.folder / "README.md").read_text()

    assert card.startswith("---\nlicense: other\n")
    assert f"{model.card.scores['accuracy']:.1%}" in card
    assert f"{(model.folder / 'tiny-5.onnx').stat().st_size:,} bytes" in card
    assert "883,173 parameters" in card
    assert "AI Act, Article 5(1)(f)" in card
    assert str(model.folder.parent) not in card


@pytest.mark.long
def test_a_model_that_openvino_computes_differently_is_detected(model, tmp_path):
    other = keras.saving.load_model(model.folder / "tiny-5.keras")
    other.layers[-1].bias.assign(other.layers[-1].bias + np.array([0.01, 0, 0, 0, 0], np.float32))
    other.save(tmp_path / "other.keras")

    assert exporting.disagreement(model.folder / "tiny-5.keras", model.folder / "tiny-5.onnx") <= exporting.AGREEMENT
    assert exporting.disagreement(tmp_path / "other.keras", model.folder / "tiny-5.onnx") > exporting.AGREEMENT


@pytest.mark.parametrize("difference", [1e-3, float("nan")])
def test_an_export_that_fails_its_check_leaves_no_model(model, tmp_path, monkeypatch, difference):
    network = keras.saving.load_model(model.folder / "tiny-5.keras")
    scores = score(np.eye(5, dtype=np.float32), np.arange(5), EMOTIONS_5)
    epoch = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), 1.0)
    trained = TrainingResult(
        network=network,
        recipe=TINY,
        history=[epoch],
        scores=scores,
        reporting=Faces(*synthetic(1, 0), EMOTIONS_5),
        choosing=(np.eye(5, dtype=np.float32), np.arange(5)),
        start=None,
        trained_on="some faces",
        scored_on="other faces",
        licence="a licence",
    )
    (tmp_path / "broken-5").mkdir()
    (tmp_path / "broken-5" / "model.json").write_text("an older model")
    monkeypatch.setattr("training.export.model_folder.disagreement", lambda *_: difference)

    with pytest.raises(ModelError, match="differs from the Keras network"):
        exporting.export(trained, tmp_path / "broken-5", "1.0.0")

    with pytest.raises(ModelError, match="no model in"):
        ModelFolder.open(tmp_path / "broken-5")


@pytest.mark.long
def test_the_network_is_written_as_hdf5_on_request(model, tmp_path):
    place = model.folder.parent

    training.train(
        place / "train.npz",
        place / "valid.npz",
        tmp_path / "tiny-5",
        TINY,
        run=place / "run",
        h5=tmp_path / "mnist_cnn_model.h5",
        console=Console(file=io.StringIO()),
    )

    images, _ = synthetic(3, seed=2)
    faces = TINY.normalisation.apply(images)
    expected = keras.saving.load_model(model.folder / "tiny-5.keras").predict(faces, verbose=0)
    found = keras.models.load_model(tmp_path / "mnist_cnn_model.h5", compile=False).predict(faces, verbose=0)
    assert np.abs(found - expected).max() < 1e-5


OWN = replace(EMOTII, name="own", epochs=3, batch_size=16, learning_rate=0.003, averaging=0.5)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_new_classes_are_learnt_from_folders_and_served_from_the_model_folder(tmp_path):
    for number, (image, label) in enumerate(zip(*synthetic(30, 0), strict=True)):
        if label < 3:
            folder = tmp_path / "faces" / ("Happy", "tired", "Wide Awake")[label]
            folder.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(folder / f"{number}.png"), image)

    training.train(
        tmp_path / "faces",
        None,
        tmp_path / "mine",
        replace(OWN, epochs=20),  # the moving averages of a network that knows faces need as long to know bars
        start=find_model("emotii-5"),
        run=tmp_path / "run",
        console=Console(file=io.StringIO()),
    )

    settings = InferenceSettings(model=str(tmp_path / "mine"), precision="f32", batch=8, threads=1)
    engine = load_engine(settings)
    assert engine.card.labels == ("happy", "tired", "wide_awake")
    images, labels = synthetic(10, seed=3)
    found = engine.classify(images[labels < 3]).argmax(axis=1)
    assert (found == labels[labels < 3]).mean() > 0.8
    assert "beginning with the weights of emotii-5@" in (tmp_path / "mine" / "README.md").read_text()


class Killed(Console):
    """A console that the process does not survive when the second epoch is reported."""

    def print(self, *words, **options):
        if str(words[0]).startswith("epoch  2"):
            raise KeyboardInterrupt
        super().print(*words, **options)


@pytest.mark.long
def test_a_killed_run_on_class_folders_resumes_after_its_last_complete_epoch(tmp_path):
    data, out, kept = write_folders(tmp_path / "faces", 10), tmp_path / "own-5", tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        training.train(data, None, out, TINY, run=kept, console=Killed(file=io.StringIO()))
    first = Run(kept).history()
    assert [epoch["epoch"] for epoch in first] == [0]
    assert not out.exists()

    output = io.StringIO()
    model = training.train(data, None, out, TINY, run=kept, console=Console(file=output))

    assert "1 epochs are done already" in output.getvalue()
    history = Run(kept).history()
    assert [epoch["epoch"] for epoch in history] == [0, 1]
    assert history[0] == first[0]
    # Weights that began anew would be at the loss of a first epoch again.
    assert history[1]["loss"] < 0.8 * first[0]["loss"]
    assert model.card.scores["faces"] == 5


@pytest.mark.long
def test_averaged_weights_and_the_position_on_the_cosine_survive_a_kill(tmp_path):
    data, kept = write_folders(tmp_path / "faces", 20), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        training.train(data, None, tmp_path / "own-5", OWN, run=kept, console=Killed(file=io.StringIO()))
    training.train(data, None, tmp_path / "own-5", OWN, run=kept, console=Console(file=io.StringIO()))
    training.train(data, None, tmp_path / "whole-5", OWN, run=tmp_path / "whole", console=Console(file=io.StringIO()))

    killed, whole = Run(kept).history(), Run(tmp_path / "whole").history()

    assert [epoch["epoch"] for epoch in killed] == [0, 1, 2]
    # The batches are the same ones, dropout is not; a network that began anew would be where the first epoch was.
    assert killed[0]["loss"] == pytest.approx(whole[0]["loss"], rel=0.01)
    assert max(killed[-1]["loss"], whole[-1]["loss"]) < 0.7 * whole[0]["loss"]


def test_scores_on_training_faces_alone_are_refused_before_training(tmp_path):
    data = write_npz(tmp_path / "train.npz", 4, 0)

    with pytest.raises(DatasetError, match=r"every face of train\.npz is one of train\.npz too"):
        training.train(data, data, tmp_path / "m-5", TINY, run=tmp_path / "run", console=Console(file=io.StringIO()))


@pytest.mark.parametrize(("name", "version"), [("My Model", "1.0.0"), ("m-5", "1")])
def test_an_invalid_name_or_version_is_refused_before_training(tmp_path, name, version):
    with pytest.raises(SettingsError, match="a model cannot be called"):
        training.train(tmp_path, None, tmp_path / name, TINY, version=version, console=Console(file=io.StringIO()))


def test_an_unknown_recipe_is_an_error_that_lists_the_recipes():
    assert find_recipe("seed") == SEED
    assert find_recipe("emotii", epochs=3) == replace(EMOTII, epochs=3)
    with pytest.raises(SettingsError, match="no recipe called 'sead'; there are: seed, emotii"):
        find_recipe("sead")
