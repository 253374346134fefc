"""Reading the network of a .keras file, without running code or opening files that it names."""

import zipfile
import zlib

import keras

from contract.errors import ModelError, reason_of
from contract.model.folder import ModelFolder
from contract.model.normalisation import CROP_SIZE

DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Keras raises, depending on where it notices that a file is damaged, or refused."""


def load_network(model: ModelFolder) -> keras.Model:
    """The network of a model: (batch, 48, 48, 1) in, (batch, labels) out.

    Keras reads it in safe mode, which refuses layers with code in them (Lambda) and weights in other files.

    Raises:
        ModelError: the file is missing, differs from `model.json`, or cannot or may not be read.
    """
    with model.copied(".keras") as path:
        try:
            network = keras.saving.load_model(path, compile=False, safe_mode=True)
            shapes = network.input_shape, network.output_shape
        except DAMAGED as error:
            reason = reason_of(error)
            raise ModelError(f"{model.folder / path.name}: Keras cannot read it: {reason}") from error
    wanted = (None, CROP_SIZE, CROP_SIZE, 1), (None, len(model.card.labels))
    if shapes != wanted:
        raise ModelError(
            f"{model.folder / path.name}: the network's input and output are {shapes[0]} and {shapes[1]}, "
            f"not {wanted[0]} and {wanted[1]}"
        )
    return network
