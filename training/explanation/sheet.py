"""The sheet that explains one face: the evidence map, and the maps of each layer."""

from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from contract.atomic_file import AtomicFile, writable
from contract.errors import SettingsError
from contract.judgement import judge
from training.explanation.network import Floats, Maps, Network

ACROSS, DOWN = 8, 2
"""Columns and rows of maps per layer: those with the highest deviation, because a sheet of hundreds is unreadable."""
LAYERS_A_ROW = 2
TILE = 48
GAP = 2


def explain(network: Network, picture: NDArray[np.uint8], crop: NDArray[np.uint8], path: Path) -> None:
    """Write the sheet of one face as a picture; the suffix of `path` is its format (.png, .svg, .pdf).

    Args:
        network: the network.
        picture: the face as people see it, (h, w, 3) BGR.
        crop: the face as the network sees it, (48, 48).
        path: the file.

    Raises:
        SettingsError: it cannot be written.
        ModelError: the network cannot be explained this way.
    """
    probabilities = network.probabilities(crop)
    likeliest = max(probabilities, key=probabilities.__getitem__)
    layers = network.activations(crop)
    rows = -(-len(layers) // LAYERS_A_ROW)
    figure = Figure(figsize=(13, 3.6 + 1.75 * rows), layout="constrained")
    top, below = figure.subfigures(2, 1, height_ratios=(3.6, 1.75 * rows), squeeze=False)[:, 0]
    seen, evidence, bars = top.subplots(1, 3, width_ratios=(1, 1, 1.4))
    _show_picture(seen, crop, "what the network sees")
    _show_picture(evidence, heated(picture, network.grad_cam(crop, likeliest)), f"evidence for {likeliest} (Grad-CAM)")
    _show_probabilities(bars, probabilities, judge(probabilities, network.card.uncertain).words)
    for axes, maps in zip(below.subplots(rows, LAYERS_A_ROW, squeeze=False).flat, layers, strict=False):
        _show_maps(axes, maps)
    for axes in below.axes:
        axes.set_axis_off()
    top.suptitle(f"{network.card.id}: the expression in this picture, not a fact about a feeling", fontsize=10)
    try:
        with AtomicFile(path) as partial, writable(path):
            figure.savefig(partial, dpi=110)
    except ValueError as error:  # of a format that does not exist
        raise SettingsError(f"cannot write {path}: {error}") from error


def heated(picture: NDArray[np.uint8], heat: Floats) -> NDArray[np.uint8]:
    """A face (h, w, 3) BGR under a coloured overlay, denser where it is hotter: RGB. `heat` is (48, 48), 0 to 1."""
    height, width = picture.shape[:2]
    large = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    colours = cv2.applyColorMap((255 * large).astype(np.uint8), cv2.COLORMAP_TURBO)
    veil = 0.65 * large[:, :, np.newaxis]
    mixed = picture * (1 - veil) + colours * veil
    return mixed[:, :, ::-1].astype(np.uint8)


def mosaic(maps: Floats) -> Floats:
    """The maps of (h, w, c) with the highest deviation, side by side, enlarged, scaled to 0 to 1; NaN between them."""
    order = np.argsort(-maps.reshape(-1, maps.shape[-1]).std(axis=0), kind="stable")[: ACROSS * DOWN]
    step = TILE + GAP
    sheet: Floats = np.full((DOWN * step - GAP, ACROSS * step - GAP), np.nan, np.float32)
    for place, channel in enumerate(order):
        one = maps[:, :, channel].astype(np.float32)
        low, high = float(one.min()), float(one.max())
        stretched = (one - low) / (high - low) if high > low else np.zeros_like(one)
        top, left = place // ACROSS * step, place % ACROSS * step
        tile = cv2.resize(stretched, (TILE, TILE), interpolation=cv2.INTER_NEAREST)
        sheet[top : top + TILE, left : left + TILE] = tile
    return sheet


def _show_picture(axes: Axes, picture: NDArray[np.uint8], title: str) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set_title(title, size=10)
    axes.set_axis_off()


def _show_probabilities(axes: Axes, probabilities: dict[str, float], words: str) -> None:
    bars = axes.barh(list(probabilities), [100 * value for value in probabilities.values()], color="#2f6fde")
    axes.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
    axes.set(xlim=(0, 118), xticks=[])
    axes.set_title(words, size=10)
    axes.invert_yaxis()
    for side in axes.spines.values():
        side.set_visible(False)


def _show_maps(axes: Axes, maps: Maps) -> None:
    height, width, channels = maps.values.shape
    shown = min(channels, ACROSS * DOWN)
    axes.imshow(mosaic(maps.values), cmap="viridis", vmin=0, vmax=1)
    axes.set_title(f"{maps.name}: {shown} of {channels} maps, {width} x {height}", size=9)
