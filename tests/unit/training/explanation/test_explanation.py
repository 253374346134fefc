import numpy as np
import pytest

from contract.errors import ModelError, SettingsError
from contract.model.folder import ModelCard, find_model
from tests.lazy import LazyModule

keras = LazyModule("keras")
layers = LazyModule("keras.layers")
explanation = LazyModule("training.explanation.network")
sheets = LazyModule("training.explanation.sheet")

CARD = ModelCard(name="light", version="1.0.0", labels=("dark", "light"), files={})


@pytest.fixture(scope="module")
def light():
    """A network with weights set by hand: dark pixels are evidence for `dark`, light ones for `light`."""
    face = keras.Input((48, 48, 1))
    x = layers.ReLU()(layers.Conv2D(2, 1, name="convolution")(face))
    x = layers.Flatten()(layers.AveragePooling2D(48)(x))
    model = keras.Model(face, layers.Dense(2, activation="softmax", name="probabilities")(x))
    model.get_layer("convolution").set_weights([np.array([[[[-1, 1]]]], np.float32), np.array([0.5, -0.5], np.float32)])
    model.get_layer("probabilities").set_weights([9 * np.eye(2, dtype=np.float32), np.zeros(2, np.float32)])
    return explanation.Network(model, CARD)


@pytest.fixture
def spots() -> np.ndarray:
    """Gray with a black spot and a larger white one."""
    face = np.full((48, 48), 127, np.uint8)
    face[8:16, 8:16] = 0
    face[24:40, 24:40] = 255
    return face


@pytest.mark.parametrize(("label", "where"), [("dark", slice(8, 16)), ("light", slice(24, 40))])
def test_the_evidence_for_a_label_lies_where_the_network_finds_it(light, spots, label, where):
    heat = light.grad_cam(spots, label)
    assert heat.shape == (48, 48)
    assert heat[where, where] == pytest.approx(1)
    heat[where, where] = 0
    assert heat.max() < 0.02


def test_an_empty_picture_has_no_evidence(light):
    assert not light.grad_cam(np.zeros((48, 48), np.uint8), "light").any()


def test_the_maps_are_named_in_the_order_of_the_network_and_show_what_follows_the_activation(light, spots):
    maps = light.activations(spots)
    assert [(one.name, one.values.shape) for one in maps] == [
        ("convolution 1", (48, 48, 2)),
        ("pooling 1", (1, 1, 2)),
    ]
    assert maps[0].values[:, :, 1] == pytest.approx(np.maximum(spots / 255 - 0.5, 0), abs=1e-6)
    assert maps[1].values[0, 0] == pytest.approx(maps[0].values.mean(axis=(0, 1)), rel=1e-5)


def test_every_convolution_and_pooling_of_the_shipped_model_is_shown():
    network = explanation.Network.open(find_model("emotii-5"))
    maps = network.activations(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8))
    assert [one.name for one in maps if one.name.startswith("convolution")] == [f"convolution {n}" for n in range(1, 7)]
    assert sum(one.name.startswith("pooling") for one in maps) == 4
    assert all(one.values.min() >= 0 for one in maps), "after the activation nothing is negative"


def test_probabilities_are_those_of_the_model_after_its_temperature(light, spots):
    warm = explanation.Network(light._network, CARD.model_copy(update={"temperature": 2.0}))
    plain, tempered = light.probabilities(spots), warm.probabilities(spots)
    assert plain["light"] > tempered["light"] > 0.5
    assert sum(tempered.values()) == pytest.approx(1)


def test_a_network_without_spatial_maps_cannot_be_explained():
    face = keras.Input((48, 48, 1))
    flat = keras.Model(face, layers.Dense(2, activation="softmax")(layers.Flatten()(face)))
    with pytest.raises(ModelError, match="Grad-CAM needs convolutions"):
        explanation.Network(flat, CARD).grad_cam(np.zeros((48, 48), np.uint8), "dark")


def test_the_maps_with_the_highest_deviation_come_first_and_flat_ones_are_dark():
    maps = np.zeros((4, 4, 3), np.float32)
    maps[0, 0, 1], maps[0, 0, 2] = 5, 50
    sheet = sheets.mosaic(maps)
    step = sheets.TILE + sheets.GAP
    assert sheet.shape == (2 * step - sheets.GAP, sheets.ACROSS * step - sheets.GAP)
    assert sheet[0, 0] == sheet[0, step] == 1
    assert not sheet[: sheets.TILE, 2 * step : 2 * step + sheets.TILE].any()
    assert np.isnan(sheet[0, sheets.TILE]).all()


def test_only_hot_places_are_overlaid():
    heat = np.zeros((48, 48), np.float32)
    heat[:10, :10] = 1
    gray = np.full((96, 96, 3), 100, np.uint8)
    veiled = sheets.heated(gray, heat)
    assert (veiled[40:, 40:] == 100).all()
    assert veiled[5, 5, 0] > veiled[5, 5, 2] + 20, "hot is red"


def test_the_sheet_is_written_and_an_unwritable_path_is_an_error(light, spots, tmp_path):
    picture = np.repeat(spots[:, :, np.newaxis], 3, axis=2)
    sheets.explain(light, picture, spots, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SettingsError, match="cannot write"):
        sheets.explain(light, picture, spots, tmp_path / "nowhere" / "sheet.png")
