"""The network: a small VGG that reads one 48 x 48 gray face."""

import keras
from keras import layers

from contract.normalisation import CROP_SIZE


def build(classes: int) -> keras.Model:
    """The untrained network: (batch, 48, 48, 1) float32 normalised pixels in, (batch, classes) probabilities out.

    At five classes it has 883,173 parameters. The biases in front of the batch normalisations do no work, and stay:
    without them it would be another network than the one whose scores are known.
    """
    face = keras.Input((CROP_SIZE, CROP_SIZE, 1), name="face")
    x = _convolution(face, 32)
    x = _convolution(x, 32)
    x = layers.MaxPooling2D()(x)
    x = _convolution(x, 64)
    x = _convolution(x, 64)
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(x)
    x = _convolution(x, 128)
    x = layers.MaxPooling2D()(x)
    x = _convolution(x, 128)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512)(x)
    x = _normalise_and_activate(x)
    x = layers.Dropout(0.5)(x)
    # Probabilities of 16 bits would be too coarse for the loss, whatever the rest is trained in.
    probabilities = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(face, probabilities, name="emotii")


def _convolution(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return _normalise_and_activate(layers.Conv2D(filters, 3, padding="same")(x))


def _normalise_and_activate(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))
