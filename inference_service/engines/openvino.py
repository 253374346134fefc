"""OpenVINO: the engine of CPUs. It reads the model's ONNX file."""

from typing import Literal

import numpy as np

from contract.errors import ModelError
from contract.model import ModelFolder
from contract.openvino import core, openvino
from inference_service.engines.engine import EngineError, Pixels, Probabilities, calibrated
from inference_service.engines.sizes import filled, sizes


class OpenVinoEngine:
    """One network compiled for each batch size, so that no batch waits for a new shape.

    Args:
        model: with an ONNX file whose input is (batch, 48, 48, 1) float32.
        precision: "auto" leaves the choice to OpenVINO, which takes bfloat16 where the CPU computes in it.
        threads: 0 takes every core.
        batch: the largest batch that is prepared; larger ones are cut into pieces.

    Raises:
        ModelError: the file is not the one that `model.json` names, or OpenVINO cannot read it.
    """

    name = "openvino"

    def __init__(self, model: ModelFolder, *, precision: Literal["auto", "f32"], threads: int, batch: int) -> None:
        self.card = model.card
        path = model.file(".onnx")
        options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads}
        if precision == "f32":
            options["INFERENCE_PRECISION_HINT"] = "f32"
        try:
            network = core().read_model(path)
            self._requests = {size: _prepared(network, size, options) for size in sizes(batch)}
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot run it: {_first_line(error)}") from error
        self._sizes = tuple(self._requests)

    def classify(self, pixels: Pixels) -> Probabilities:
        pieces = [self._classify(piece)[:count] for piece, count in filled(pixels, self._sizes)]
        return np.concatenate(pieces) if pieces else np.empty((0, len(self.card.labels)), np.float32)

    def _classify(self, pixels: Pixels) -> Probabilities:
        request = self._requests[len(pixels)]
        try:
            (output,) = request.infer([self.card.normalisation.apply(pixels)], share_inputs=True).values()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO: {_first_line(error)}") from error
        return calibrated(output, self.card, len(pixels))


def _prepared(network: openvino.Model, size: int, options: dict[str, object]) -> openvino.InferRequest:
    network.reshape([size, *network.input().partial_shape[1:]])
    return core().compile_model(network, "CPU", options).create_infer_request()


def _first_line(error: RuntimeError) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
