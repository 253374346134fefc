"""The validation faces, split once: half A chooses, half B reports."""

from training.datasets.faces import Faces
from training.datasets.split import hold_out

SEED = 1975
"""Of this one split. Figures that were measured with another one must not be compared."""


def halves(faces: Faces) -> tuple[Faces, Faces]:
    """Half A, which chooses checkpoints, temperature and thresholds, and half B, which only reports.

    Stratified by label; near-duplicates stand in the same half. A face's half depends on its pixels and not on its
    place in the file. The faces of one emotion fall the same way whether the others are there or not, but for those
    few whose near-duplicates have another label.
    """
    reporting, choosing = hold_out(faces, 0.5, SEED)
    return choosing, reporting
