"""Starting with the weights of another model."""

import keras

from contract.errors import ModelError
from contract.model.folder import ModelFolder
from contract.model.keras import load_network


def take_over(start: ModelFolder, model: keras.Model, emotions: tuple[str, ...]) -> None:
    """Copy the weights of `start` to `model`, which has the architecture of this project.

    Of the last layer, only the outputs of the `emotions` that both have are copied.

    Raises:
        ModelError: `start` cannot be read, or has another architecture.
    """
    source = load_network(start)
    shapes = [[weight.shape for weight in layer.weights] for layer in source.layers[:-1]]
    if shapes != [[weight.shape for weight in layer.weights] for layer in model.layers[:-1]]:
        raise ModelError(f"{start.card.id} has another architecture than the network that is trained here")
    for layer, other in zip(model.layers[:-1], source.layers[:-1], strict=True):
        layer.set_weights(other.get_weights())
    kernel, bias = model.layers[-1].get_weights()
    known, offset = source.layers[-1].get_weights()
    for column, emotion in enumerate(emotions):
        if emotion in start.card.labels:
            place = start.card.labels.index(emotion)
            kernel[:, column], bias[column] = known[:, place], offset[place]
    model.layers[-1].set_weights([kernel, bias])
