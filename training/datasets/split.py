"""Faces in two parts that have no picture in common, not even nearly."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from training.datasets.duplicates import groups
from training.datasets.faces import Faces


def hold_out(faces: Faces, share: float, seed: int) -> tuple[Faces, Faces]:
    """Split into the rest and a `share` of each emotion, at least one face; the same seed, the same split.

    Near-duplicates stay together, so that nothing that is held out has been seen. Whole groups are taken in the order
    of a seeded digest of their pixels: chance, but the same chance wherever a face stands among the others.
    """
    group = groups(faces.images)
    digests = [hashlib.sha256(b"%d:" % seed + image.tobytes()).digest() for image in faces.images]
    leaders = [min(rows, key=digests.__getitem__) for rows in _members(group)]
    held = np.zeros(len(faces), bool)
    for label in range(len(faces.emotions)):
        own = sorted((row for row in leaders if faces.labels[row] == label), key=digests.__getitem__)
        wanted = max(1, round(share * int((faces.labels == label).sum())))
        for row in own:
            if wanted <= 0:
                break
            members = group == group[row]
            if 2 * int((faces.labels[members] == label).sum()) > int((faces.labels == label).sum()):
                continue  # one long shot of one face: held out, it would leave too little to learn from
            held |= members
            wanted -= int(members.sum())
    return faces.take(np.flatnonzero(~held)), faces.take(np.flatnonzero(held))


def _members(group: NDArray[np.int64]) -> list[list[int]]:
    members: dict[int, list[int]] = {}
    for row, first in enumerate(group.tolist()):
        members.setdefault(first, []).append(row)
    return list(members.values())
