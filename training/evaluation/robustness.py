"""The same faces under worse conditions, as from a webcam in the evening."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.model.normalisation import CROP_SIZE
from contract.model.preprocessing import resize

Images = NDArray[np.uint8]
"""(n, 48, 48)."""

NOISE = 5.0
"""Standard deviation of the sensor's noise in the dark, in gray levels."""


def gamma(images: Images, exponent: float = 2.5) -> Images:
    """Middle tones darkened: 255 * (pixel / 255) ** exponent."""
    return _rounded(255 * (images / 255.0) ** exponent)


def two_stops_down(images: Images) -> Images:
    """A quarter of every pixel value, plus noise of 5 gray levels, which is not scaled."""
    noise = np.random.default_rng(0).normal(0, NOISE, images.shape)
    return _rounded(images * 0.25 + noise)


def blur(images: Images, pixels: float = 1.0) -> Images:
    """A Gaussian blur with this standard deviation."""
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), pixels))


def rotate(images: Images, degrees: float = 15.0) -> Images:
    """Turned about the centre, every second one in the other direction; edges are repeated."""
    middle = ((CROP_SIZE - 1) / 2, (CROP_SIZE - 1) / 2)
    turns = [cv2.getRotationMatrix2D(middle, sign * degrees, 1) for sign in (1, -1)]
    size = (CROP_SIZE, CROP_SIZE)
    turned = [
        cv2.warpAffine(image, turns[number % 2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for number, image in enumerate(images)
    ]
    return np.array(turned, np.uint8).reshape(images.shape)


def small(images: Images, side: int = 24) -> Images:
    """Faces reduced to `side` pixels and enlarged as in serving."""

    def enlarged(image: Images) -> Images:
        return resize(np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8))

    return _each(images, enlarged)


def jpeg(images: Images, quality: int = 30) -> Images:
    """Compressed and decoded."""

    def compressed(image: Images) -> Images:
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)

    return _each(images, compressed)


CONDITIONS: dict[str, Callable[[Images], Images]] = {
    "gamma 2.5": gamma,
    "two stops down with noise": two_stops_down,
    "blur": blur,
    "15 degrees": rotate,
    "24x24 upsampled": small,
    "JPEG 30": jpeg,
}
"""By their names in reports; each is deterministic."""


def _each(images: Images, change: Callable[[Images], object]) -> Images:
    return np.array([change(image) for image in images], np.uint8).reshape(images.shape)


def _rounded(pixels: NDArray[np.float64]) -> Images:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
