"""Engines with networks on disk: a tiny one made here, and the one that ships."""

from contextlib import suppress

import numpy as np
import pytest

from contract.errors import ModelError
from contract.model.folder import ModelFolder, find_model
from contract.model.normalisation import Normalisation
from contract.service.settings import load
from inference_service import engines
from inference_service.engines import EngineError, probe
from inference_service.engines.engine import calibrated
from inference_service.engines.openvino import OpenVinoEngine
from inference_service.engines.sizes import filled, sizes
from inference_service.settings import InferenceSettings
from tests.inference import ObedientEngine, write_tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def openvino(folder, **changes):
    given = {"precision": "f32", "threads": 1, "batch": 32, **changes}
    return OpenVinoEngine(ModelFolder.open(folder), **given)


def test_batch_sizes_are_powers_of_two_up_to_the_largest():
    assert sizes(1) == (1,)
    assert sizes(32) == (1, 2, 4, 8, 16, 32)
    assert sizes(33)[-1] == sizes(64)[-1] == 64


@pytest.mark.parametrize("count", [0, 1, 3, 8, 9, 20])
def test_batches_are_padded_to_the_next_size_and_split_at_the_largest(count):
    pixels = probe(count)
    pieces = list(filled(pixels, sizes(8)))
    assert all(len(piece) in {1, 2, 4, 8} for piece, _ in pieces)
    assert np.array_equal(np.concatenate([pixels[:0], *[piece[:real] for piece, real in pieces]]), pixels)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 32, 33, 100])
def test_every_crop_has_its_own_row_at_every_batch_size(tiny, count):
    engine = openvino(tiny)
    brightness = np.linspace(0, 255, max(count, 1)).astype(np.uint8)[:count]
    pixels = np.broadcast_to(brightness[:, None, None], (count, 48, 48)).copy()

    found = engine.classify(pixels)

    logits = brightness[:, None] / 255 * np.linspace(-4, 4, 5)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found.shape == (count, 5)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("level", [0, 255])
def test_crops_all_black_or_white_have_probabilities(tiny, level):
    (row,) = openvino(tiny, precision="auto").classify(np.full((1, 48, 48), level, np.uint8))
    assert np.isclose(row.sum(), 1)


def test_the_models_own_normalisation_is_applied(tmp_path, tiny):
    other = write_tiny_model(tmp_path / "tiny", normalisation=Normalisation(scale=1 / 127.5, offset=-1))
    pixels = probe(3)
    assert not np.allclose(openvino(other).classify(pixels), openvino(tiny).classify(pixels), atol=1e-3)


def test_temperature_divides_the_logits():
    logits = np.array([[2.0, 1.0, 0.0, -1.0, 0.5]])
    softmax = np.exp(logits) / np.exp(logits).sum()
    cooler = np.exp(logits / 2.5) / np.exp(logits / 2.5).sum()
    card = ObedientEngine.card
    assert np.allclose(calibrated(softmax, card.model_copy(update={"temperature": 2.5}), 1), cooler, atol=1e-6)
    assert np.allclose(calibrated(softmax, card, 1), softmax, atol=1e-6)


@pytest.mark.parametrize(
    "output",
    [
        np.full((2, 5), np.nan),
        np.full((2, 5), np.inf),
        np.full((2, 4), 0.25),
        np.full((1, 5), 0.2),
        np.array([[2.0, -1.0, 0.0, 0.0, 0.0]] * 2),
        np.full((2, 5), 0.5),
    ],
)
def test_an_output_that_is_not_a_softmax_is_an_engine_error(output):
    with pytest.raises(EngineError):
        calibrated(output.astype(np.float32), ObedientEngine.card, 2)


def settings(**given):
    return load(InferenceSettings, **given)


def test_the_chosen_model_is_loaded_by_its_path(tiny):
    assert engines.load(settings(model=str(tiny))).card.id == "tiny@1.0.0"


def test_a_model_with_another_number_of_outputs_than_labels_is_refused(tmp_path):
    folder = write_tiny_model(tmp_path / "tiny", labels=("happy", "sad"))
    with pytest.raises(ModelError, match=r"output is \(8, 5\), not \(8, 2\)"):
        engines.load(settings(model=str(folder)))


def test_a_file_that_is_not_a_network_is_refused_in_one_line(tmp_path):
    from contract.model.folder import MODEL_FILE, ModelCard, sha256

    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    card = ModelCard(name="bad", version="1.0.0", labels=("a", "b"), files={"bad.onnx": sha256(tmp_path / "bad.onnx")})
    (tmp_path / MODEL_FILE).write_text(card.model_dump_json())
    with pytest.raises(ModelError, match="OpenVINO cannot run it") as error:
        engines.load(settings(model=str(tmp_path)))
    assert "\n" not in str(error.value)


def test_an_engine_whose_package_is_missing_is_an_error_with_the_install_command(tiny):
    import subprocess
    import sys

    script = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"
        "from contract.errors import SettingsError\n"
        "from inference_service import engines\n"
        "from inference_service.settings import InferenceSettings\n"
        "try:\n"
        "    engines.load(InferenceSettings(model=sys.argv[1], engine='tensorflow'))\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tiny)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.startswith("EMOTII_ENGINE=tensorflow: ")
    assert "make train" in output


def test_openvino_telemetry_is_not_loaded():
    import subprocess
    import sys

    script = (
        "import inference_service.engines.openvino, sys\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry') and sys.modules[name]])"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"


def test_the_worker_needs_no_tensorflow_and_no_opencv(tiny):
    import subprocess
    import sys

    script = (
        "import sys; from contract.service.settings import load\n"
        "from inference_service import engines, __main__, service\n"
        "from inference_service.settings import InferenceSettings\n"
        f"engines.load(load(InferenceSettings, model={str(tiny)!r}))\n"
        "print([name for name in ('tensorflow', 'keras', 'cv2') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"


@pytest.fixture(scope="module")
def shipped():
    with suppress(ModelError):
        return str(find_model("emotii-5").folder)
    pytest.skip("models/emotii-5 is not there")


@pytest.fixture(scope="module")
def reference(shipped):
    return engines.load(settings(model=shipped, engine="tensorflow", threads=0))


def pictures():
    """Noise, flat faces and gradients, 100 in all."""
    rng = np.random.default_rng(1)
    noise = probe(60)
    flat = np.repeat(np.arange(0, 250, 13, np.uint8), 48 * 48).reshape(-1, 48, 48)
    waves = np.stack(
        [np.add.outer(np.arange(48) * a, np.arange(48) * b) % 256 for a, b in rng.integers(1, 12, (20, 2))]
    )
    return np.concatenate([noise, flat, waves.astype(np.uint8)])


def test_the_engines_agree_to_the_fourth_decimal_in_32_bits(shipped, reference):
    found = engines.load(settings(model=shipped, precision="f32")).classify(pictures())
    assert np.abs(found - reference.classify(pictures())).max() < 1e-4


def test_the_engines_name_the_same_emotion_in_the_precision_of_the_cpu(shipped, reference):
    found = engines.load(settings(model=shipped)).classify(pictures())
    assert (
        found.argmax(axis=1) == reference.classify(pictures()).argmax(axis=1)
    ).mean() >= 0.95  # noise, unlike faces, has many near ties
