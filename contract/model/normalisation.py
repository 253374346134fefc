"""The numbers that go into the network: kept apart from `preprocessing`, so that a worker needs no OpenCV."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CROP_SIZE = 48
"""Side of a crop in pixels."""

CROP_BYTES = CROP_SIZE * CROP_SIZE


LEAST_SPREAD = 2.0
"""In gray levels: a crop with less is flat, and its noise must not be blown up to a picture."""


class Normalisation(BaseModel):
    """`pixel * scale + offset`, as it stands in `model.json`; `standardise` makes crops alike before."""

    model_config = ConfigDict(frozen=True)

    scale: float = 1 / 255
    offset: float = 0.0
    standardise: bool = False
    """Each crop's pixels less their mean and over their standard deviation (at least 2 gray levels), so that how bright
    a face is and how strong its contrast says nothing: light is the camera's, not the face's."""

    def apply(self, crops: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        """(n, 48, 48) uint8 0-255 to the network's input (n, 48, 48, 1) float32."""
        import numpy as np  # only here: whoever reads messages and model cards alone need not load it

        pixels: NDArray[Any] = crops.astype(np.float32)
        if self.standardise:
            pixels -= pixels.mean(axis=(1, 2), keepdims=True)
            pixels /= np.maximum(pixels.std(axis=(1, 2), keepdims=True), LEAST_SPREAD)
        pixels *= np.float32(self.scale)
        pixels += np.float32(self.offset)
        return pixels[..., np.newaxis]
