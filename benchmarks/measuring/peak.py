"""The peak rate of matrix products on this machine, and the operations that a network needs per face."""

import numpy as np

from benchmarks.measuring.measure import Sample, timed
from contract.model.openvino import core, openvino

SIDE = 1536


class Multiplication:
    """A product of two square matrices with OpenVINO.

    Args:
        precision: "f32" or "bf16"; a CPU without bfloat16 always computes in f32.
        threads: 0 for every core.
    """

    def __init__(self, precision: str, threads: int = 0) -> None:
        from openvino import opset13 as ops

        random = np.random.default_rng(0)
        self._left = random.standard_normal((SIDE, SIDE)).astype(np.float32)
        left = ops.parameter([SIDE, SIDE], np.float32)
        product = ops.matmul(left, ops.constant(random.standard_normal((SIDE, SIDE)).astype(np.float32)), False, False)
        options = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads}
        network = openvino.Model([product], [left])
        compiled = core().compile_model(network, "CPU", {**options, "INFERENCE_PRECISION_HINT": precision})
        self._request = compiled.create_infer_request()

    def turn(self, times: int) -> Sample:
        """Multiply `times` times; the count is the number of operations, additions and multiplications."""

        def work() -> float:
            for _ in range(times):
                self._request.infer([self._left], share_inputs=True)
            return times * 2.0 * SIDE**3

        return timed(work)


def operations_a_face(network: bytes) -> float:
    """Additions and multiplications of convolutions and matrix products for one crop. `network` is an ONNX file."""
    model = core().read_model(network)
    model.reshape([1, *model.input().partial_shape[1:]])
    total = 0.0
    for node in model.get_ops():
        kind = node.get_type_name()
        if kind in {"Convolution", "GroupConvolution"}:
            # (out, in, height, width) with the channels of one group; with groups there is one more axis in front
            weights = node.input_value(1).get_shape()
            each = np.prod(weights) / node.get_output_shape(0)[1]
            total += 2.0 * np.prod(node.get_output_shape(0)) * each
        elif kind == "MatMul":
            total += 2.0 * np.prod(node.get_output_shape(0)) * node.input_value(1).get_shape()[0]
    return float(total)
