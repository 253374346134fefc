"""The probability chart of `emotii predict`: one row per face, with the network's input beside the bars."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contract.atomic_file import AtomicFile, writable
from contract.errors import SettingsError
from contract.printable import printable
from emotii.pictures.prediction import Prediction

ROW_INCHES = 1.9
STRONGEST, OTHERS = "#2f6fde", "#b9c6da"


def draw(predictions: Sequence[Prediction], path: Path) -> None:
    """Write the chart of at least one face; the suffix of `path` selects the format (.png, .svg, .pdf).

    Raises:
        SettingsError: the file cannot be written.
    """
    if not path.suffix:
        raise SettingsError(f"cannot write the chart {path}: use a name that ends in .png, .svg or .pdf")
    figure = Figure(figsize=(7, ROW_INCHES * len(predictions)), layout="constrained")
    rows = figure.subplots(len(predictions), 2, width_ratios=(1, 3), squeeze=False)
    for (face, bars), prediction in zip(rows, predictions, strict=True):
        face.imshow(prediction.crop, cmap="gray", vmin=0, vmax=255)
        face.set_axis_off()
        _bars(bars, prediction)
    try:
        with AtomicFile(path) as partial, writable(path):
            figure.savefig(partial, dpi=120)
    except ValueError as error:  # of a format that does not exist
        raise SettingsError(f"cannot write {path}: {error}") from error


def _bars(axes: Axes, prediction: Prediction) -> None:
    labels, values = list(prediction.probabilities), [100 * value for value in prediction.probabilities.values()]
    highlighted = prediction.judgement.between or (prediction.judgement.emotion,)
    bars = axes.barh(labels, values, color=[STRONGEST if label in highlighted else OTHERS for label in labels])
    axes.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
    axes.set(xlim=(0, 115), xticks=[])
    title = f"{printable(prediction.picture.name)}: {_caption(prediction)}"
    axes.set_title(title, fontsize=9, parse_math=False)  # a name may have dollar signs
    axes.tick_params(labelsize=8, length=0)
    axes.invert_yaxis()
    for side in axes.spines.values():
        side.set_visible(False)


def _caption(prediction: Prediction) -> str:
    judgement = prediction.judgement
    return judgement.emotion if judgement.certain else f"{judgement.emotion} ({judgement.words})"
