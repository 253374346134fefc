"""The protocol of engines, and the check and calibration of their output."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contract.model.calibration import tempered
from contract.model.folder import ModelCard
from contract.model.normalisation import CROP_SIZE

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


class EngineError(Exception):
    """The engine did not return probabilities for every crop."""


class Engine(Protocol):
    """A model, ready to classify."""

    @property
    def name(self) -> str:
        """As `EMOTII_ENGINE` spells it."""

    @property
    def precision(self) -> str:
        """Of the numbers that it computes with: f32, tf32, bf16, f16 or int8."""

    @property
    def card(self) -> ModelCard:
        """The model's."""

    def classify(self, pixels: Pixels) -> Probabilities:
        """Gray crops (n, 48, 48) uint8 in, probabilities (n, labels) float32 with row sum 1 out, after temperature.

        Raises:
            EngineError: the runtime failed or its output is invalid; a smaller batch may succeed.
        """


def probe(count: int = 1) -> Pixels:
    """`count` crops of noise, always the same, which every working engine can classify."""
    return np.random.default_rng(0).integers(0, 256, (count, CROP_SIZE, CROP_SIZE), dtype=np.uint8)


def calibrated(output: Probabilities, card: ModelCard, count: int) -> Probabilities:
    """The softmax of a network after the model's temperature, in float32.

    Raises:
        EngineError: `output` is not (count, labels), not finite, or not a softmax.
    """
    if output.shape != (count, len(card.labels)):
        raise EngineError(f"the network's output is {output.shape}, not {(count, len(card.labels))}")
    # A NaN fails the comparison, too.
    if not (np.all(output >= 0) and np.all(np.abs(output.sum(axis=1) - 1) < 0.05)):
        raise EngineError("the network's output is not a softmax")
    return tempered(output, card.temperature)
