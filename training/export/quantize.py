"""The network in 8-bit integers, by the post-training quantisation of NNCF, for CPUs."""

import logging
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.model.normalisation import Normalisation
from contract.model.openvino import openvino  # before NNCF, which could send telemetry like OpenVINO

import nncf  # isort: skip
from nncf.quantization.advanced_parameters import (  # isort: skip
    AdvancedQuantizationParameters,
    AdvancedSmoothQuantParameters,
)

FACES = 1000
"""Enough to measure the range of the activations of each layer."""
_WEIGHING = ("Convolution", "MatMul")
_NONE_SMOOTHED = AdvancedSmoothQuantParameters(convolution=-1, matmul=-1)


def quantized(onnx_file: Path, normalisation: Normalisation, images: NDArray[np.uint8]) -> "openvino.Model":
    """The network of an ONNX file with the layers between its first and its last in 8-bit integers.

    The first layer sees the pixels and the last one decides; both stay as they are, which costs next to no time and
    keeps most answers. What batch normalisation does goes into the convolutions first.

    Args:
        onnx_file: a float network with the input (batch, 48, 48, 1).
        normalisation: of its crops.
        images: training faces (n, 48, 48), which show the ranges of the activations; at most `FACES` are taken.
    """
    nncf.set_log_level(logging.WARNING)
    network = _converted(onnx_file)
    layers = [node.get_friendly_name() for node in network.get_ordered_ops() if node.get_type_name() in _WEIGHING]
    chosen = np.random.default_rng(0).permutation(len(images))[:FACES]
    crops = normalisation.apply(images[np.sort(chosen)])
    return nncf.quantize(
        network,
        nncf.Dataset([crop[np.newaxis] for crop in crops]),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=len(crops),
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=[layers[0], layers[-1]]),
        advanced_parameters=AdvancedQuantizationParameters(smooth_quant_alphas=_NONE_SMOOTHED),
    )


def _converted(onnx_file: Path) -> "openvino.Model":
    """The network as simplified by the converter of OpenVINO: batch normalisation is folded into the convolutions."""
    sys.modules.pop("openvino.tools", None)  # `contract.model.openvino` keeps it out of the services
    from openvino.tools.ovc import convert_model

    return convert_model(onnx_file)
