"""Splitting faces into two parts without near-duplicates across them."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from training.datasets.duplicates import groups
from training.datasets.faces import Faces


def hold_out(faces: Faces, share: float, seed: int) -> tuple[Faces, Faces]:
    """Split into the rest and a `share` of each emotion, at least one face; the same seed gives the same split.

    Near-duplicates stay together, so that no held-out face is a near-duplicate of a fitted one. Whole groups are taken
    in the order of a seeded digest of their pixels, which does not depend on the order of the faces.
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
                continue  # more than half of the emotion: held out, it would leave too few faces to fit
            held |= members
            wanted -= int(members.sum())
    return faces.take(np.flatnonzero(~held)), faces.take(np.flatnonzero(held))


def _members(group: NDArray[np.int64]) -> list[list[int]]:
    members: dict[int, list[int]] = {}
    for row, first in enumerate(group.tolist()):
        members.setdefault(first, []).append(row)
    return list(members.values())
