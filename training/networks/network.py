"""The network: a small VGG for one 48 x 48 gray face."""

import keras
from keras import layers

from contract.model.normalisation import CROP_SIZE
from training.networks.dropout import DROPOUT


def build(
    classes: int,
    batch_normalization: type[layers.Layer] = layers.BatchNormalization,
    dropout: tuple[float, float] = DROPOUT,
) -> keras.Model:
    """The untrained network: (batch, 48, 48, 1) float32 normalised pixels in, (batch, classes) probabilities out.

    At five classes it has 883,173 parameters. The biases in front of the batch normalisations have no effect. They
    stay, because without them it would not be the network whose scores are known.
    """

    def normalise_and_activate(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU()(batch_normalization()(x))

    def convolution(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        return normalise_and_activate(layers.Conv2D(filters, 3, padding="same")(x))

    face = keras.Input((CROP_SIZE, CROP_SIZE, 1), name="face")
    x = convolution(face, 32)
    x = convolution(x, 32)
    x = layers.MaxPooling2D()(x)
    x = convolution(x, 64)
    x = convolution(x, 64)
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(dropout[0])(x)
    x = convolution(x, 128)
    x = layers.MaxPooling2D()(x)
    x = convolution(x, 128)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512)(x)
    x = normalise_and_activate(x)
    x = layers.Dropout(dropout[1])(x)
    # 16-bit probabilities would be too coarse for the loss, whatever the precision of the other layers.
    probabilities = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(face, probabilities, name="emotii")
