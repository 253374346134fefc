"""TensorFlow: the reference, and the engine for GPUs. It reads the model's .keras file."""

import os

import numpy as np

from contract.errors import reason_of
from contract.model.folder import ModelFolder
from inference_service.engines.engine import EngineError, Pixels, Probabilities, calibrated
from inference_service.engines.sizes import filled, sizes
from inference_service.settings import Precision

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # fewer log lines; read while TensorFlow is imported

import tensorflow as tf

from contract.model.keras import load_network

LARGEST_BATCH = 256
"""Larger batches are split. GPUs need large batches."""


class TensorFlowEngine:
    """The network as a graph, traced once per batch size.

    Args:
        model: with a .keras file.
        precision: every value except "f32" lets a GPU use TensorFloat-32.
        threads: 0 for every core.

    Raises:
        ModelError: the file differs from `model.json`, or Keras cannot read it.
    """

    name = "tensorflow"

    def __init__(self, model: ModelFolder, *, precision: Precision, threads: int) -> None:
        self.card = model.card
        gpu = bool(tf.config.list_physical_devices("GPU"))
        self.precision = "tf32" if gpu and precision != "f32" else "f32"
        _configure(threads, tensor_float=precision != "f32")
        network = load_network(model)
        self._graph = tf.function(lambda crops: network(crops, training=False), reduce_retracing=False)
        self._sizes = sizes(LARGEST_BATCH)

    def classify(self, pixels: Pixels) -> Probabilities:
        pieces = [self._classify(piece)[:count] for piece, count in filled(pixels, self._sizes)]
        return np.concatenate(pieces) if pieces else np.empty((0, len(self.card.labels)), np.float32)

    def _classify(self, pixels: Pixels) -> Probabilities:
        try:
            output = self._graph(tf.constant(self.card.normalisation.apply(pixels))).numpy()
        except (tf.errors.OpError, ValueError) as error:
            raise EngineError(f"TensorFlow: {reason_of(error)}") from error
        return calibrated(output, self.card, len(pixels))


def _configure(threads: int, *, tensor_float: bool) -> None:
    for gpu in tf.config.list_physical_devices("GPU"):
        # Otherwise the first worker allocates all memory of the GPU.
        tf.config.experimental.set_memory_growth(gpu, enable=True)
    tf.config.experimental.enable_tensor_float_32_execution(tensor_float)
    if threads != tf.config.threading.get_intra_op_parallelism_threads():
        tf.config.threading.set_intra_op_parallelism_threads(threads)
