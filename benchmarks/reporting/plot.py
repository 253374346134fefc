"""Plotting the series of an answer."""

from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt

from benchmarks.reporting.answer import Series

MARKERS = "os^Dv*Px"
"""Markers, so that lines are distinguishable without colours."""


def draw(series: Series, file: Path) -> None:
    """Write a PNG of 800 x 450 pixels."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for marker, (name, points) in zip(MARKERS * 9, series.lines.items(), strict=False):
        x, y = zip(*points, strict=True) if points else ((), ())
        axes.plot(x, y, marker=marker, label=name)
    axes.set(title=series.title, xlabel=series.x_label, ylabel=series.y_label)
    if series.log_x:
        axes.set_xscale("log")
    if series.log_y:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=100, metadata={"Software": None})
    plt.close(figure)
