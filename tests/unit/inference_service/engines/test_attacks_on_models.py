"""Model folders that would have an engine load what their SHA-256 values do not cover, or run code."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from contract.errors import ModelError
from contract.model.folder import INT8_BIN, INT8_XML, MODEL_FILE, ModelFolder, sha256, shipped_models
from contract.model.labels import EMOTIONS_5
from contract.model.onnx import refers_to_files
from contract.service.settings import load
from inference_service import engines
from inference_service.engines import probe
from inference_service.settings import InferenceSettings
from tests.inference import write_tiny_model
from tests.lazy import LazyModule

keras = LazyModule("keras")
explanation = LazyModule("training.explanation.network")
transfer = LazyModule("training.fitting.transfer")

pytestmark = [
    # Keras 3.15 on NumPy 2.4.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]


def classified(folder: Path, precision: str = "f32", engine: str = "openvino") -> np.ndarray:
    given = {"engine": engine, "precision": precision, "threads": 0, "batch": 4}
    return engines.load(load(InferenceSettings, model=f"{folder}/", **given)).classify(probe(4))


def name_files(folder: Path, *names: str) -> None:
    """Let `model.json` name these files, with their right SHA-256."""
    about = json.loads((folder / MODEL_FILE).read_text())
    about["files"] = {name: sha256(folder / name) for name in names}
    (folder / MODEL_FILE).write_text(json.dumps(about))


@pytest.mark.parametrize("place", ["weights.data", "../elsewhere.data", "/absolute"])
def test_an_onnx_file_that_takes_weights_from_other_files_is_refused(tmp_path: Path, place: str):
    import onnx
    from onnx import external_data_helper

    folder = write_tiny_model(tmp_path / "tiny")
    target = str(tmp_path / "absolute.data") if place == "/absolute" else place
    network = onnx.load(folder / "tiny.onnx")
    external_data_helper.set_external_data(network.graph.initializer[0], target)
    (folder / target).write_bytes(network.graph.initializer[0].raw_data)
    network.graph.initializer[0].ClearField("raw_data")
    (folder / "tiny.onnx").write_bytes(network.SerializeToString())
    name_files(folder, "tiny.onnx")

    with pytest.raises(ModelError, match=r"tiny\.onnx takes weights from other files") as error:
        classified(folder)
    assert "\n" not in str(error.value)


def test_a_reference_is_found_in_every_encoding_and_the_word_alone_is_none():
    for tag in (b"\x0a", b"\x8a\x00", b"\x8a\x80\x80\x00"):
        for length in (b"\x08", b"\x88\x00", b"\x88\x80\x00"):
            assert refers_to_files(b"any" + tag + length + b"location\x12\x01a")
    assert not refers_to_files(b"a layer called relocation or location")


def test_the_shipped_networks_refer_to_no_other_files():
    for folder in shipped_models().iterdir():
        assert ModelFolder.open(folder).read(".onnx")


def test_weights_that_the_model_names_are_loaded_and_not_those_beside_the_network(tmp_path: Path):
    folder = tmp_path / "emotii-5"
    shutil.copytree(shipped_models() / "emotii-5", folder)
    expected = classified(folder, "int8")
    weights = folder / f"emotii-5{INT8_BIN}"
    shutil.copy(weights, folder / f"other{INT8_BIN}")
    name_files(folder, f"emotii-5{INT8_XML}", f"other{INT8_BIN}")
    changed = np.frombuffer(weights.read_bytes(), np.uint8).copy()
    changed[-200_000:] = 0
    weights.write_bytes(changed.tobytes())  # beside the network, and not named

    assert np.array_equal(classified(folder, "int8"), expected)


def test_a_network_of_openvino_that_is_called_onnx_does_not_load_weights_beside_it(tmp_path: Path):
    folder = tmp_path / "emotii-5"
    shutil.copytree(shipped_models() / "emotii-5", folder)
    shutil.copy(folder / f"emotii-5{INT8_XML}", folder / "other.onnx")
    shutil.copy(folder / f"emotii-5{INT8_BIN}", folder / "other.bin")
    name_files(folder, "other.onnx")

    with pytest.raises(ModelError, match="OpenVINO cannot run it"):
        classified(folder)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", ["tiny.onnx", MODEL_FILE])
def test_a_pipe_in_place_of_a_file_is_refused_without_waiting(tmp_path: Path, name: str):
    folder = write_tiny_model(tmp_path / "tiny")
    (folder / name).unlink()
    os.mkfifo(folder / name)

    with pytest.raises(ModelError, match="is no regular file"):
        classified(folder)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", ["tiny.onnx", MODEL_FILE])
def test_a_link_to_a_device_is_refused(tmp_path: Path, name: str):
    folder = write_tiny_model(tmp_path / "tiny")
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")

    with pytest.raises(ModelError, match="is no regular file"):
        classified(folder)


def test_a_file_too_large_for_a_model_is_refused_before_it_is_read(tmp_path: Path):
    folder = write_tiny_model(tmp_path / "tiny")
    with (folder / "tiny.onnx").open("r+b") as file:
        file.truncate(2**40)  # a hole, which takes no space

    with pytest.raises(ModelError, match="at most 1,073,741,824"):
        classified(folder)


def test_what_is_loaded_is_what_was_checked_even_if_the_file_is_exchanged_meanwhile(tmp_path: Path):
    folder = write_tiny_model(tmp_path / "tiny")
    good = classified(folder)
    other = tmp_path / "other.onnx"
    content = (folder / "tiny.onnx").read_bytes()
    rising, falling = (np.linspace(*ends, 5, dtype=np.float32).tobytes() for ends in ((-4, 4), (4, -4)))
    assert rising in content
    other.write_bytes(content.replace(rising, falling))
    kept = tmp_path / "kept.onnx"
    kept.write_bytes(content)
    stop = Event()

    def exchange() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            fresh = folder / "fresh"
            shutil.copy(other if turn % 2 else kept, fresh)
            fresh.replace(folder / "tiny.onnx")

    thread = Thread(target=exchange)
    thread.start()
    loaded = 0
    try:
        for _ in range(60):
            try:
                found = classified(folder)
            except ModelError as error:
                assert "SHA-256" in str(error)  # noqa: PT017 - either is right
                continue
            loaded += 1
            assert np.array_equal(found, good)
    finally:
        stop.set()
        thread.join()
    assert loaded, "it was never loaded, so nothing was shown"


def keras_model(folder: Path, network, name: str = "tiny.keras") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / name)
    about = {"name": "tiny", "version": "1.0.0", "labels": EMOTIONS_5, "files": {name: sha256(folder / name)}}
    (folder / MODEL_FILE).write_text(json.dumps(about))
    return folder


def small_network(*extra, outputs: int = 5):
    layers = [keras.Input((48, 48, 1)), *extra, keras.layers.Flatten(), keras.layers.Dense(outputs, "softmax")]
    return keras.Sequential(layers)


def loaders(folder: Path) -> list[Callable[[], object]]:
    """Everything that loads a .keras file: the engine, `visualize` and `train --from`."""
    model = ModelFolder.open(folder)
    return [
        lambda: classified(folder, engine="tensorflow"),
        lambda: explanation.Network.open(model),
        lambda: transfer.take_over(model, small_network(), EMOTIONS_5),
    ]


def test_code_in_a_keras_file_is_refused_and_does_not_run(tmp_path: Path):
    ran = tmp_path / "ran"
    layer = keras.layers.Lambda(eval(f"lambda x: (__import__('pathlib').Path({str(ran)!r}).write_text('ran'), x)[1]"))
    folder = keras_model(tmp_path / "tiny", small_network(layer))
    ran.unlink()  # building the network ran it
    keras.saving.load_model(folder / "tiny.keras", compile=False, safe_mode=False)
    assert ran.exists(), "the attack works where nobody defends"
    ran.unlink()

    for loader in loaders(folder):
        with pytest.raises(ModelError, match=r"tiny\.keras: Keras cannot read it") as error:
            loader()
        assert "\n" not in str(error.value)
        assert not ran.exists()


def change_weights(folder: Path, change: Callable[[object], None]) -> None:
    """Change the HDF5 file inside the .keras file, and let `model.json` name the result."""
    import h5py

    path = folder / "tiny.keras"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    weights = folder.parent / "weights.h5"
    weights.write_bytes(parts["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        change(file)
    parts["model.weights.h5"] = weights.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    name_files(folder, "tiny.keras")


@pytest.mark.parametrize("way", ["external data", "external link", "virtual"])
def test_a_keras_file_that_takes_weights_from_other_files_is_refused(tmp_path: Path, way: str):
    import h5py

    folder = keras_model(tmp_path / "tiny", small_network())
    secret = tmp_path / "secret"
    (tmp_path / "other.h5").touch()
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["bias"] = np.arange(5, dtype=np.float32)
    secret.write_bytes(np.arange(5, dtype=np.float32).tobytes())

    def change(file) -> None:
        paths: list[str] = []
        file.visit(paths.append)
        place = next(path for path in paths if isinstance(file[path], h5py.Dataset) and file[path].shape == (5,))
        del file[place]
        if way == "external data":
            file.create_dataset(place, (5,), np.float32, external=[(str(secret), 0, 20)])
        elif way == "external link":
            file[place] = h5py.ExternalLink(str(tmp_path / "other.h5"), "bias")
        else:
            layout = h5py.VirtualLayout((5,), np.float32)
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "bias", (5,))
            file.create_virtual_dataset(place, layout)

    change_weights(folder, change)

    for loader in loaders(folder):
        with pytest.raises(ModelError, match=r"tiny\.keras"):
            loader()


def test_a_keras_file_of_another_kind_is_refused_in_one_line(tmp_path: Path):
    folder = keras_model(tmp_path / "tiny", small_network())
    whole = (folder / "tiny.keras").read_bytes()
    contents = [whole[: len(whole) // 2], b"", b"\x89HDF\r\n\x1a\n" + bytes(200), whole.replace(b"config", b"gonfic")]
    for content in contents:
        (folder / "tiny.keras").write_bytes(content)
        name_files(folder, "tiny.keras")
        for loader in loaders(folder):
            with pytest.raises(ModelError, match=r"tiny\.keras: Keras cannot read it") as error:
                loader()
            assert "\n" not in str(error.value)


def test_a_keras_file_with_another_number_of_outputs_than_labels_is_refused(tmp_path: Path):
    folder = keras_model(tmp_path / "tiny", small_network(outputs=3))

    for loader in loaders(folder):
        with pytest.raises(ModelError, match=r"not \(None, 48, 48, 1\) and \(None, 5\)"):
            loader()
