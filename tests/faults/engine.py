"""An engine that shows which pixels it saw, so that a reading identifies its crop."""

import os
import time
from pathlib import Path
from zlib import crc32

import numpy as np

from contract.messages import Crop
from contract.model.folder import ModelCard
from contract.model.labels import EMOTIONS_5
from inference_service.engines import EngineError
from tests.inference import KILLS, RAISES, THRESHOLDS


class EchoEngine:
    """Its probabilities are the crop's first five pixels, made to a sum of 1; it obeys `KILLS` and `RAISES`.

    Args:
        seconds_per_batch: how long it takes, asleep.
        runs: where it writes the crc32 of every crop that it runs, a line each, before it runs.
    """

    name = "echo"
    precision = "f32"
    card = ModelCard(name="echo", version="1.0.0", labels=EMOTIONS_5, uncertain=THRESHOLDS, files={})

    def __init__(self, seconds_per_batch: float = 0.0, runs: Path | None = None) -> None:
        self._seconds_per_batch = seconds_per_batch
        self._runs = runs

    def classify(self, pixels):
        if self._runs is not None:
            with self._runs.open("a") as file:
                file.write("".join(f"{crc32(one.tobytes())}\n" for one in pixels))
        time.sleep(self._seconds_per_batch)
        for one in pixels:
            if one.tobytes().startswith(KILLS):
                os._exit(9)
            if one.tobytes().startswith(RAISES):
                raise EngineError("failure on request")
        return echo(pixels.reshape(len(pixels), -1)[:, :5])


def echo(first_pixels):
    """(n, 5) uint8 -> (n, 5) float32 with row sum 1."""
    shown = first_pixels.astype(np.float32) + 1
    return shown / shown.sum(axis=1, keepdims=True)


def answer_to(crop: Crop) -> tuple[float, ...]:
    """The probabilities that the reading of this crop must have."""
    return tuple(echo(np.frombuffer(crop.pixels[:5], np.uint8)[np.newaxis])[0].tolist())
