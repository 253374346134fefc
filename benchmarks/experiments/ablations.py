r"""What each part of the recipe `emotii` is worth: short runs without it, compared face by face with a complete run.

    python benchmarks/experiments/ablations.py --data faces-train.npz --valid faces-valid.npz \
        --epochs 8 --out runs/ablations

Each run has one seed and is scored on half A, because the results may choose the recipe; half B stays unseen. The
interval of a gain is a bootstrap over the same faces. After a kill, the next start resumes.
"""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from contract.model.labels import EMOTIONS_5
from contract.model.normalisation import Normalisation
from training.augmentation import Augmentation
from training.datasets.faces import Faces
from training.datasets.material import prepare
from training.evaluation.intervals import bootstrap
from training.evaluation.robustness import two_stops_down
from training.fitting.fit import fit
from training.fitting.run import Run
from training.recipe import EMOTII, Recipe

Hits = NDArray[np.bool_]
"""(n,): which faces were classified correctly."""
Labels = NDArray[np.int64]
Measure = Callable[[Hits, Labels], float]

WHOLE = replace(EMOTII, emotions=EMOTIONS_5)
NO_LIGHT = replace(Augmentation(), gamma=0, contrast=0, dark=0, noise=0, soft=0)
VARIANTS: dict[str, Recipe] = {
    "the recipe": WHOLE,
    "majority labels for votes": replace(WHOLE, votes=False),
    "pixels over 255, not standardised": replace(WHOLE, normalisation=Normalisation()),
    "no augmentation": replace(WHOLE, augmentation=None),
    "faces moved only, never relit or softened": replace(WHOLE, augmentation=NO_LIGHT),
    "nothing erased": replace(WHOLE, augmentation=replace(Augmentation(), erasing=0)),
    "no average of the weights": replace(WHOLE, averaging=0.0),
    "emotions count by their frequency": replace(WHOLE, rare=0.0),
    "rare emotions count more (0.5)": replace(WHOLE, rare=0.5),
    "less dropout (0.1 and 0.3)": replace(WHOLE, dropout=(0.1, 0.3)),
    "learning rate 0.002": replace(WHOLE, learning_rate=0.002),
    "32-bit floats": replace(WHOLE, precision="float32"),
}


def main(
    data: Annotated[Path, typer.Option(help="An .npz with votes.")],
    valid: Annotated[Path, typer.Option(help="The same, for validation.")],
    out: Annotated[Path, typer.Option(help="Where the runs are kept.")] = Path("runs/ablations"),
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each run.")] = 8,
    only: Annotated[list[str] | None, typer.Option(help="Only these variants; the first one always.")] = None,
) -> None:
    """Train every variant and print the table."""
    material = prepare(data, valid, WHOLE, None, Console())
    hits: dict[str, dict[str, Hits]] = {}
    for number, (name, recipe) in enumerate(VARIANTS.items()):
        if only and number and name not in only:
            continue
        hits[name] = _hits(
            material.fitted, material.choosing, replace(recipe, name="ablation", epochs=epochs), out / f"{number:02}"
        )
        Console().print(_table(hits, material.choosing.labels))


def _hits(faces: Faces, choosing: Faces, recipe: Recipe, folder: Path) -> dict[str, Hits]:
    """Which faces of half A the trained network classifies correctly, clean and in the dark."""
    kept = folder / "hits.json"
    if not kept.exists():
        run = Run.open(folder, recipe, faces)
        network = fit(faces, choosing, recipe, run, Console(file=io.StringIO()))
        found = {}
        for condition, images in {"clean": choosing.images, "dark": two_stops_down(choosing.images)}.items():
            answers = network.predict(recipe.normalisation.apply(images), batch_size=256, verbose=0)
            found[condition] = (answers.argmax(axis=1) == choosing.labels).tolist()
        kept.write_text(json.dumps(found))
    return {condition: np.array(right, bool) for condition, right in json.loads(kept.read_text()).items()}


def _table(hits: dict[str, dict[str, Hits]], labels: Labels) -> Table:
    base = next(iter(hits.values()))
    table = Table("variant", "accuracy", "change", "mean recall", "change", "two stops down", "change")
    for name, right in hits.items():
        cells = []
        for condition, measure in (("clean", _accuracy), ("clean", _mean_recall), ("dark", _accuracy)):
            mine, other = right[condition], base[condition]
            cells.append(f"{measure(mine, labels):.1%}")
            cells.append("" if right is base else _change(mine, other, labels, measure))
        table.add_row(name, *cells)
    return table


def _change(mine: Hits, other: Hits, labels: Labels, measure: Measure) -> str:
    def drawn(rows: Labels) -> dict[str, float]:
        return {"gain": 100 * (measure(mine[rows], labels[rows]) - measure(other[rows], labels[rows]))}

    low, high = bootstrap(drawn, len(labels))["gain"]
    middle = 100 * (measure(mine, labels) - measure(other, labels))
    return f"{middle:+.1f} ({low:+.1f} to {high:+.1f})"


def _accuracy(right: Hits, _: Labels) -> float:
    return float(right.mean())


def _mean_recall(right: Hits, labels: Labels) -> float:
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


if __name__ == "__main__":
    typer.run(main)
