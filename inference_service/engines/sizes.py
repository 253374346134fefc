"""The batch sizes that a network is compiled for; other batches are padded to the next one."""

from collections.abc import Iterator

import numpy as np

from inference_service.engines.engine import Pixels


def sizes(largest: int) -> tuple[int, ...]:
    """1, 2, 4, ... up to `largest`, or the next power of two above it."""
    return tuple(2**power for power in range((largest - 1).bit_length() + 1))


def filled(pixels: Pixels, sizes: tuple[int, ...]) -> Iterator[tuple[Pixels, int]]:
    """`pixels` (n, 48, 48) split and padded to the `sizes`, each piece with its number of real crops."""
    for start in range(0, len(pixels), sizes[-1]):
        piece = pixels[start : start + sizes[-1]]
        size = next(size for size in sizes if size >= len(piece))
        black = np.zeros((size - len(piece), *piece.shape[1:]), np.uint8)
        yield np.concatenate([piece, black]), len(piece)
