"""Other ways of running the same network, without the engines of this project."""

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from contract.model.folder import ModelFolder
from inference_service.engines.engine import Pixels

Classify = Callable[[Pixels], NDArray[np.float32]]


def keras_ways(model: ModelFolder) -> dict[str, Classify]:
    """`model.predict`, as the first Emotii called it per face; the model as a function; and that as a graph."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    from contract.model.keras import load_network

    network = load_network(model)
    graph = tf.function(lambda crops: network(crops, training=False), reduce_retracing=False)
    apply = model.card.normalisation.apply
    return {
        "model.predict": lambda pixels: np.asarray(network.predict(apply(pixels), verbose=0)),
        "model(x)": lambda pixels: np.asarray(network(apply(pixels), training=False)),
        "tf.function": lambda pixels: np.asarray(graph(tf.constant(apply(pixels)))),
    }


def onnxruntime_way(model: ModelFolder, threads: int) -> Classify:
    """ONNX Runtime on the model's ONNX file, with all optimisations; `threads` 0 for every core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model.read(".onnx"), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    apply = model.card.normalisation.apply

    def classify(pixels: Pixels) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, {name: apply(pixels)})[0]
        return found

    return classify
