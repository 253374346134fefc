"""OpenVINO: the engine for CPUs. It reads the model's network in 8-bit integers, or its ONNX file."""

import os
import platform

import numpy as np

from contract.errors import ModelError, reason_of
from contract.model.folder import INT8_BIN, INT8_XML, ModelFolder
from contract.model.openvino import core, openvino
from inference_service.engines.engine import EngineError, Pixels, Probabilities, calibrated, probe
from inference_service.settings import Precision

PIECE = 8
"""Crops per thread: more are no faster, and the activations of so many stay in the cache of a core."""


class OpenVinoEngine:
    """One network for batches of every size up to a limit.

    Each size runs once at start, so that no later batch waits for compilation. One network per size would hold the
    weights several times: 50 MB more, and no faster.

    Args:
        model: with a network whose input is (batch, 48, 48, 1) float32: an ONNX file, or 8-bit integers.
        precision: with "bf16" OpenVINO chooses, and takes bfloat16 if the CPU supports it.
        threads: 0 for every core.
        batch: the largest expected batch; larger ones are split.

    Raises:
        ModelError: the file differs from `model.json`, OpenVINO cannot read it, or the precision is int8 and the model
            has no network in integers.
        EngineError: the network does not give one probability per label.
    """

    name = "openvino"

    def __init__(self, model: ModelFolder, *, precision: Precision, threads: int, batch: int) -> None:
        self.card = model.card
        self._piece = min(batch, PIECE * (threads or os.cpu_count() or 1))
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # pinned, the threads of all workers run on the same core
        }
        if precision == "f32":
            options["INFERENCE_PRECISION_HINT"] = "f32"
        try:
            in_integers = _in_integers(model, precision)
            network = _network(model, in_integers=in_integers)
            network.reshape([openvino.Dimension(1, self._piece), *network.input().partial_shape[1:]])
            compiled = core().compile_model(network, "CPU", options)
            self._request = compiled.create_infer_request()
            floats = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
            self.precision = "int8" if in_integers else floats
        except RuntimeError as error:
            raise ModelError(f"{model.folder}: OpenVINO cannot run it: {_first_line(error)}") from error
        for size in range(self._piece, 0, -1):
            self.classify(probe(size))

    def classify(self, pixels: Pixels) -> Probabilities:
        crops = self.card.normalisation.apply(pixels)
        pieces = [self._infer(crops[start : start + self._piece]) for start in range(0, len(crops), self._piece)]
        output = np.concatenate(pieces) if pieces else np.empty((0, len(self.card.labels)), np.float32)
        return calibrated(output, self.card, len(pixels))

    def _infer(self, crops: Probabilities) -> Probabilities:
        # The steps of `infer` without its input checks, which cost a tenth of the time of a single crop.
        try:
            self._request.set_input_tensor(openvino.Tensor(crops, shared_memory=True))
            self._request.start_async()
            self._request.wait()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO: {_first_line(error)}") from error
        output: Probabilities = self._request.get_output_tensor().data.copy()
        return output


def _network(model: ModelFolder, *, in_integers: bool) -> openvino.Model:
    # From memory: given a path, OpenVINO would open the file again, and the weights beside it, whatever their names.
    if in_integers:
        return core().read_model(model.read(INT8_XML), model.read(INT8_BIN))
    return core().read_model(model.read(".onnx"))


def _in_integers(model: ModelFolder, precision: Precision) -> bool:
    # Integers were measured to be faster only on x86.
    is_x86 = platform.machine().lower() in {"x86_64", "amd64"}
    if precision == "int8" and not model.card.has(INT8_XML):
        raise ModelError(f"{model.card.id} has no network in 8-bit integers: `emotii quantize` makes one")
    return precision == "int8" or (precision == "auto" and is_x86 and model.card.has(INT8_XML))


def _first_line(error: RuntimeError) -> str:
    return reason_of(error)
