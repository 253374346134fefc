"""Near-duplicate faces, found by a perceptual hash.

The hash is the usual one (pHash: the signs, against their median, of the low frequencies of a cosine transform), here
over 48 x 48 crops: the lowest 16 x 16 frequencies less the mean, 255 bits, for all faces in one matrix product. The
libraries for it (imagehash, imagededup) process one Pillow picture at a time, or depend on PyTorch.
"""

import numpy as np
from numpy.typing import NDArray

from contract.model.normalisation import CROP_SIZE

FREQUENCIES = 16
NEAR = 46
"""Bits that may differ between near-duplicates. Of the inspected pairs of FER2013 faces, none this near had
a correlation below 0.7; unrelated faces differ in about 128 bits. Small shifts and crops are not detected."""
ROWS = 2048
"""Faces that are compared with all others at a time, which bounds the memory."""


def hashes(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 48, 48) to their hashes (n, 255), every bit as -1 or 1."""
    places = np.pi * (2 * np.arange(CROP_SIZE) + 1) / (2 * CROP_SIZE)
    waves = np.cos(np.arange(FREQUENCIES)[:, None] * places).astype(np.float32)
    strengths = (waves @ images.astype(np.float32) @ waves.T).reshape(-1, FREQUENCIES**2)[:, 1:]
    above = strengths > np.median(strengths, axis=1, keepdims=True)
    return np.where(above, np.float32(1), np.float32(-1))


def groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each of the images (n, 48, 48) the row of the first one in its group (n,).

    Near-duplicates of near-duplicates are in the same group, and so are mirrored pictures.
    """
    first = np.arange(len(images))
    for one, other in _near_pairs(images, images):
        a, b = _root(first, one), _root(first, other)
        first[max(a, b)] = min(a, b)
    return np.array([_root(first, row) for row in range(len(images))], np.int64)


def near(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of `images` (n,) are nearly the same picture as one of `others`, mirrored or not."""
    found = np.zeros(len(images), bool)
    for row, _ in _near_pairs(images, others):
        found[row] = True
    return found


def _near_pairs(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> list[tuple[int, int]]:
    bits = hashes(images)
    pairs: set[tuple[int, int]] = set()
    for known in (hashes(others), hashes(others[:, :, ::-1])):
        for start in range(0, len(bits), ROWS):
            alike = bits[start : start + ROWS] @ known.T > bits.shape[1] - 2 * NEAR - 1
            pairs |= {(start + int(row), int(column)) for row, column in np.argwhere(alike)}
    return sorted(pairs)


def _root(first: NDArray[np.int64], row: int) -> int:
    while first[row] != row:
        row = int(first[row])
    return row
