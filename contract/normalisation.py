"""The numbers that go into the network: kept apart from `preprocessing`, so that a worker needs no OpenCV."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

CROP_SIZE = 48
"""Side of a crop in pixels."""

CROP_BYTES = CROP_SIZE * CROP_SIZE


class Normalisation(BaseModel):
    """`pixel * scale + offset`, as it stands in `model.json`."""

    model_config = ConfigDict(frozen=True)

    scale: float = 1 / 255
    offset: float = 0.0

    def apply(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 48, 48) uint8 0-255 to the network's input (n, 48, 48, 1) float32."""
        scaled: NDArray[Any] = crops.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)
        return scaled[..., np.newaxis]
