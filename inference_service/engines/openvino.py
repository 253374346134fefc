"""OpenVINO: the engine of CPUs. It reads the model's network in 8-bit integers, or its ONNX file."""

import os
import platform
from pathlib import Path

import numpy as np

from contract.errors import ModelError
from contract.model.folder import INT8_BIN, INT8_XML, ModelFolder
from contract.model.openvino import core, openvino
from inference_service.engines.engine import EngineError, Pixels, Probabilities, calibrated, probe
from inference_service.settings import Precision

PIECE = 8
"""So many crops for each thread are as fast as more, and what lies between their layers stays in its core's cache."""


class OpenVinoEngine:
    """One network for batches of any size up to a piece; each was classified once, so that none waits for its code.

    A network for each size would hold the weights each time: 50 MB more, and no faster.

    Args:
        model: with a network whose input is (batch, 48, 48, 1) float32: an ONNX file, or 8-bit integers.
        precision: "bf16" leaves the choice to OpenVINO, which takes bfloat16 where the CPU computes in it.
        threads: 0 takes every core.
        batch: the largest batch that is asked for; larger ones are classified all the same.

    Raises:
        ModelError: the file is not the one that `model.json` names, OpenVINO cannot read it, or it is to be in integers
            and the model has none.
        EngineError: the network does not give one probability a label.
    """

    name = "openvino"

    def __init__(self, model: ModelFolder, *, precision: Precision, threads: int, batch: int) -> None:
        self.card = model.card
        self._piece = min(batch, PIECE * (threads or os.cpu_count() or 1))
        path = _network(model, precision)
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # pinned, the only thread of every worker of a machine sits on the same core
        }
        if precision == "f32":
            options["INFERENCE_PRECISION_HINT"] = "f32"
        try:
            network = core().read_model(path)
            network.reshape([openvino.Dimension(1, self._piece), *network.input().partial_shape[1:]])
            self._request = core().compile_model(network, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot run it: {_first_line(error)}") from error
        for size in range(self._piece, 0, -1):
            self.classify(probe(size))

    def classify(self, pixels: Pixels) -> Probabilities:
        crops = self.card.normalisation.apply(pixels)
        pieces = [self._infer(crops[start : start + self._piece]) for start in range(0, len(crops), self._piece)]
        output = np.concatenate(pieces) if pieces else np.empty((0, len(self.card.labels)), np.float32)
        return calibrated(output, self.card, len(pixels))

    def _infer(self, crops: Probabilities) -> Probabilities:
        # As `infer` does it, but for looking at what it is given: a tenth of the time of a single crop.
        try:
            self._request.set_input_tensor(openvino.Tensor(crops, shared_memory=True))
            self._request.start_async()
            self._request.wait()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO: {_first_line(error)}") from error
        output: Probabilities = self._request.get_output_tensor().data.copy()
        return output


def _network(model: ModelFolder, precision: Precision) -> Path:
    # Only on x86 it was measured that integers are faster.
    is_x86 = platform.machine().lower() in {"x86_64", "amd64"}
    if precision == "int8" or (precision == "auto" and is_x86 and model.card.has(INT8_XML)):
        if not model.card.has(INT8_XML):
            raise ModelError(f"{model.card.id} has no network in 8-bit integers: `emotii quantize` makes one")
        model.file(INT8_BIN)  # the weights, which OpenVINO looks for beside the network
        return model.file(INT8_XML)
    return model.file(".onnx")


def _first_line(error: RuntimeError) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
