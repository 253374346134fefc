"""The input of the network; apart from `preprocessing`, so that a worker does not import OpenCV."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CROP_SIZE = 48
"""Side of a crop in pixels."""

CROP_BYTES = CROP_SIZE * CROP_SIZE

LEAST_SPREAD = 2.0
"""In gray levels: a crop with less is flat, and its noise must not be amplified."""


class Normalisation(BaseModel):
    """`pixel * scale + offset`, as `model.json` states it, after `standardise`."""

    model_config = ConfigDict(frozen=True)

    scale: float = 1 / 255
    offset: float = 0.0
    standardise: bool = False
    """Subtract the mean of each crop's pixels and divide by their standard deviation (at least 2 gray levels), so that
    brightness and contrast, which depend on the light, do not count."""

    def apply(self, crops: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        """(n, 48, 48) uint8 0-255 to the network's input (n, 48, 48, 1) float32."""
        import numpy as np  # only here: code that reads messages and model cards does not need it

        pixels: NDArray[Any] = crops.astype(np.float32)
        if self.standardise:
            pixels -= pixels.mean(axis=(1, 2), keepdims=True)
            pixels /= np.maximum(pixels.std(axis=(1, 2), keepdims=True), LEAST_SPREAD)
        pixels *= np.float32(self.scale)
        pixels += np.float32(self.offset)
        return pixels[..., np.newaxis]
