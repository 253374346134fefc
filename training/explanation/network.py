"""The network to explain: the .keras file, because the other formats expose only input and output."""

from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from contract.errors import ModelError
from contract.model.calibration import tempered
from contract.model.folder import ModelCard, ModelFolder
from contract.model.keras import load_network

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Maps:
    """The output of one layer: `values` (height, width, channels), one map per channel."""

    name: str
    """A readable name, such as "convolution 3"."""
    values: Floats


class Network:
    """A network whose activations can be read."""

    def __init__(self, network: keras.Model, card: ModelCard) -> None:
        self._network = network
        self.card = card

    @classmethod
    def open(cls, model: ModelFolder) -> Self:
        """The network of a model's .keras file, read in safe mode.

        Raises:
            ModelError: the file is missing, unreadable, or differs from `model.json`.
        """
        return cls(load_network(model), model.card)

    def probabilities(self, face: NDArray[np.uint8]) -> dict[str, float]:
        """By label, after temperature; `face` is (48, 48) uint8."""
        output = np.asarray(self._network(self._input(face), training=False))
        return dict(zip(self.card.labels, tempered(output, self.card.temperature)[0].tolist(), strict=True))

    def activations(self, face: NDArray[np.uint8]) -> list[Maps]:
        """The output of every convolution (after its activation) and every pooling, first layer first."""
        named = _spatial(self._network)
        looked = keras.Model(self._network.inputs, [layer.output for _, layer in named])
        found = looked(self._input(face), training=False)
        found = found if isinstance(found, list) else [found]
        return [Maps(name, np.asarray(values)[0]) for (name, _), values in zip(named, found, strict=True)]

    def grad_cam(self, face: NDArray[np.uint8], label: str) -> Floats:
        """Where in the face the evidence for a label lies (Selvaraju et al., 2017): (48, 48) float32, 0 to 1.

        The maps of the last convolution, weighted by the mean gradient of the label's score before the softmax;
        negative evidence is left out. All 0 if there is no evidence for the label.

        Raises:
            ModelError: the network does not end in a dense layer with a softmax over maps of places.
        """
        last = self._network.layers[-1]
        convolutions = [layer for name, layer in _spatial(self._network) if name.startswith("convolution")]
        if not isinstance(last, keras.layers.Dense) or not convolutions:
            raise ModelError(f"{self.card.id}: Grad-CAM needs convolutions and a dense layer at the end")
        inside = keras.Model(self._network.inputs, [convolutions[-1].output, last.input])
        pixels = self._input(face)
        with tf.GradientTape() as tape:
            tape.watch(pixels)  # so that the tape records everything computed from them
            maps, features = inside(pixels, training=False)
            score = tf.linalg.matvec(features, last.kernel[:, self.card.labels.index(label)])
        weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
        evidence = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))
        large = np.asarray(tf.image.resize(evidence, face.shape))[0, :, :, 0]
        heat: Floats = large / max(float(large.max()), 1e-12)
        return heat

    def _input(self, face: NDArray[np.uint8]) -> tf.Tensor:
        return tf.constant(self.card.normalisation.apply(face[np.newaxis]))


def _spatial(network: keras.Model) -> list[tuple[str, keras.Layer]]:
    """The layers to show, with their names; for a convolution, the activation behind it."""
    convolution = (keras.layers.Conv2D, keras.layers.SeparableConv2D, keras.layers.DepthwiseConv2D)
    pooling = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
    activation = (keras.layers.ReLU, keras.layers.Activation, keras.layers.LeakyReLU)
    seen: list[tuple[str, keras.Layer]] = []
    counts = {"convolution": 0, "pooling": 0}
    for layer in network.layers:
        kind = "convolution" if isinstance(layer, convolution) else "pooling" if isinstance(layer, pooling) else ""
        if kind:
            counts[kind] += 1
            seen.append((f"{kind} {counts[kind]}", layer))
        elif isinstance(layer, activation) and seen and seen[-1][0].startswith("convolution"):
            seen[-1] = seen[-1][0], layer
    return seen
