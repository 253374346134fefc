"""The faces of one training: fitted faces, faces for choices, and faces for reported scores."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from contract.model.labels import EMOTIONS_8
from contract.printable import printable
from training.datasets import dataset
from training.datasets.duplicates import near
from training.datasets.faces import DatasetError, Faces
from training.datasets.folders import class_names
from training.datasets.halves import halves
from training.datasets.left_out import LeftOut, summary
from training.datasets.split import hold_out
from training.recipe import Recipe

VALIDATION = 0.2
"""Share of the faces that is set aside if no validation faces are given."""


@dataclass(frozen=True)
class Material:
    """Three sets of faces without near-duplicates across them, and their descriptions for the card."""

    fitted: Faces
    choosing: Faces
    reporting: Faces
    trained_on: str
    scored_on: str

    def parts(self) -> dict[str, Faces]:
        """The three sets by name."""
        return {"fitted": self.fitted, "choosing": self.choosing, "reporting": self.reporting}

    def left_out(self) -> tuple[LeftOut, ...]:
        """What the datasets hold besides."""
        return tuple(dict.fromkeys(one for part in self.parts().values() for one in part.left_out))


def prepare(
    data: Path, valid: Path | None, recipe: Recipe, emotions: tuple[str, ...] | None, console: Console
) -> Material:
    """Read and split. Training faces that are near-duplicates of validation faces are left out.

    Raises:
        DatasetError: something cannot be read, or there are too few faces to fit, choose and report.
    """
    emotions = emotions or _emotions(data, recipe)
    faces = _read(data, emotions, console)
    if valid is None:
        faces, unseen = hold_out(faces, VALIDATION, recipe.seed + 1)
        validation = f"the fifth of {_name(data)} that was set aside at random before training"
    else:
        unseen = _read(valid, emotions, console)
        validation = _name(valid)
        seen = near(faces.images, unseen.images)
        if seen.all():
            raise DatasetError(f"every face of {_name(data)} is one of {validation} too, or nearly")
        if seen.any():
            console.out(f"left out {int(seen.sum()):,} training faces that are nearly validation faces")
        faces = faces.take(np.flatnonzero(~seen))
    choosing, reporting = halves(unseen)
    for part, of in (("training", faces), ("validation", choosing), ("the reported scores", reporting)):
        if not len(of) or (part == "training" and 0 in of.counts().values()):
            raise DatasetError(
                f"{_name(data)} has too few faces that are not nearly the same picture: none is left for {part}"
            )
    return Material(
        faces,
        choosing,
        reporting,
        trained_on=f"{len(faces):,} faces of {_name(data)}",
        scored_on=f"{len(reporting):,} faces, half B of {validation}",
    )


def _emotions(data: Path, recipe: Recipe) -> tuple[str, ...]:
    """The emotions of the recipe, unless `data` is a folder that lacks one of them or has an unknown one."""
    names = class_names(data) if data.is_dir() else recipe.emotions
    own = not set(recipe.emotions) <= set(names) or not set(names) <= set(EMOTIONS_8)
    return names if own and names else recipe.emotions


def _read(path: Path, emotions: tuple[str, ...], console: Console) -> Faces:
    faces = dataset.read(path, emotions)
    counts = ", ".join(f"{emotion} {count:,}" for emotion, count in faces.counts().items())
    console.out(f"{len(faces):,} faces of {printable(path)}: {counts}")
    for line in summary(faces.left_out):
        console.out(line)
    return faces


def _name(path: Path) -> str:
    """The name of a dataset on a card: the last part of its path, without the folders of this machine."""
    return printable(Path(path.resolve().name))
