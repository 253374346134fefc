"""The two figures of a model: its training curves and its confusion matrix."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from contract.atomic_file import AtomicFile
from training.evaluation.scores import Scores


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """Write a PNG with accuracy and loss of each epoch, fitted and held out, with the kept epoch marked."""
    epochs = np.arange(1, len(history) + 1)
    kept = 1 + int(np.argmin([epoch["val_loss"] for epoch in history]))
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, measure in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        axes.plot(epochs, [epoch[measure] for epoch in history], marker=".", label="fitted")
        axes.plot(epochs, [epoch[f"val_{measure}"] for epoch in history], marker=".", label="validation")
        axes.axvline(kept, color="gray", linestyle=":", label=f"kept: epoch {kept}")
        axes.set(xlabel="epoch", title=measure)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    with AtomicFile(path) as partial:
        figure.savefig(partial, dpi=110)


def draw_confusion(scores: Scores, path: Path) -> None:
    """Write a PNG of the confusion matrix: counts, and the share of each row."""
    rows = np.maximum(scores.confusion.sum(axis=1, keepdims=True), 1)
    shares = scores.confusion / rows
    figure = Figure(figsize=(max(5.5, 0.9 * len(scores.emotions)),) * 2, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"
        words = f"{scores.confusion[row, column]}\n{share:.0%}"
        axes.text(column, row, words, ha="center", va="center", color=colour)
    places = range(len(scores.emotions))
    axes.set_xticks(places, scores.emotions)
    axes.set_yticks(places, scores.emotions)
    axes.set(xlabel="read by the network", ylabel="voted by the taggers")
    axes.set_title(
        f"{scores.faces:,} faces: accuracy {scores.accuracy:.1%}, mean recall {scores.mean_recall:.1%}", size=10
    )
    with AtomicFile(path) as partial:
        figure.savefig(partial, dpi=110)
