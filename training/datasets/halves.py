"""The validation faces in two fixed halves: A for choices, B for reported scores."""

from training.datasets.faces import Faces
from training.datasets.split import hold_out

SEED = 1975
"""The seed of this split. Scores measured on another split are not comparable."""


def halves(faces: Faces) -> tuple[Faces, Faces]:
    """Half A, for the choice of checkpoint, temperature and thresholds, and half B, for reported scores only.

    The split is stratified by label, with near-duplicates in the same half. The half of a face depends on its pixels,
    not on its place in the file, nor on the faces of other emotions, except for the few faces whose near-duplicates
    have another label.
    """
    reporting, choosing = hold_out(faces, 0.5, SEED)
    return choosing, reporting
