"""The reliability diagram."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from contract.atomic_file import AtomicFile
from training.evaluation.calibration import Reliability


def draw_reliability(found: Reliability, path: Path) -> None:
    """Write a PNG: accuracy over confidence with the ideal as a line, and below how many faces each bin holds."""
    bins = len(found.faces)
    middles = (np.arange(bins) + 0.5) / bins
    filled = found.faces > 0
    figure = Figure(figsize=(5, 5.5), layout="constrained")
    shares, counts = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    shares.plot((0, 1), (0, 1), color="gray", linestyle=":", label="as good as it says")
    shares.bar(middles[filled], found.accuracy[filled], 0.9 / bins, color="#2f6fde", label="accuracy")
    shares.plot(found.confidence[filled], found.accuracy[filled], "o", color="#10315f", markersize=3)
    shares.set(ylim=(0, 1), ylabel="share of right answers")
    shares.set_title(f"{found.faces.sum():,} faces: expected calibration error {found.error:.1%}", size=10)
    shares.legend(loc="upper left")
    counts.bar(middles, found.faces, 0.9 / bins, color="#b9c6da")
    counts.set(xlim=(0, 1), xlabel="confidence", ylabel="faces")
    with AtomicFile(path) as partial:
        figure.savefig(partial, dpi=110)
