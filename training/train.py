"""From labelled faces to a model folder: prepare, build and fit, evaluate, export."""

from pathlib import Path

from rich.console import Console

from contract.errors import SettingsError
from contract.model import ModelCard, ModelFolder
from training import dataset
from training.card import FER_PLUS, OWN_FACES
from training.dataset import DatasetError, Faces
from training.export import export
from training.fit import fit
from training.recipe import SEED, Recipe
from training.run import Run
from training.scores import score
from training.trained import Trained

RUNS = Path("runs")
"""Where unfinished and finished runs are kept unless told otherwise."""


def train(
    data: Path,
    valid: Path | None,
    out: Path,
    recipe: Recipe = SEED,
    *,
    run: Path | None = None,
    version: str = "1.0.0",
    console: Console | None = None,
) -> ModelFolder:
    """Train a network and write it as the model folder `out`, named as that folder is.

    Killed at any time and called again, it goes on after the last whole epoch. The fitted network's scores are measured
    on `valid`; without it on a tenth of `data` that is set aside before anything else happens.

    Args:
        data: an `.npz` file with FER+ votes, or a folder of class folders.
        valid: the same, for the scores; or None.
        out: the model folder, for example `models/emotii-5`.
        recipe: how to train.
        run: where history, weights and state of each epoch are kept; `runs/<name of the model>` if None.
        version: of the model, as three numbers.
        console: where to tell what happens; the terminal if None.

    Raises:
        DatasetError: the faces cannot be read, or `run` holds a run with another recipe or other faces, or
            all faces of `valid` are training faces.
        SettingsError: a model cannot have this name or version.
        ModelError: the exported network does not compute what the trained one does.
    """
    console = console or Console()
    _check(out.name, version, recipe)

    faces = _read(data, recipe, console)
    if valid is None:
        # Another seed than the recipe's own split: that one steers the training, this one judges it.
        faces, unseen = dataset.hold_out(faces, recipe.held_out, recipe.seed + 1)
        scored_on = f"{len(unseen):,} faces of {_name(data)}, set aside at random before training"
    else:
        unseen = _read(valid, recipe, console)
        scored_on = _name(valid)

    new = ~dataset.copies(unseen, faces)
    if not new.any():
        raise DatasetError(f"every face of {scored_on} is a training face too: scores on it would say nothing")

    progress = Run.open(run or RUNS / out.name, recipe, faces)
    if done := len(progress.history()):
        console.out(f"{done} epochs are done already, in {progress.folder}")
    network = fit(faces, recipe, progress, console)

    probabilities = network.predict(recipe.normalisation.apply(unseen.images), batch_size=256, verbose=0)
    scores = score(probabilities, unseen.labels, recipe.emotions)
    scores_new = score(probabilities[new], unseen.labels[new], recipe.emotions)
    console.out(f"on {scored_on}: {scores}; without copies of training faces: {scores_new}")

    trained = Trained(
        network=network,
        recipe=recipe,
        history=progress.history(),
        scores=scores,
        scores_without_copies=scores_new,
        trained_on=f"{len(faces):,} faces of {_name(data)}",
        scored_on=scored_on,
        licence=OWN_FACES if data.is_dir() else FER_PLUS,
    )
    model = export(trained, out, version)
    console.out(f"wrote {model.card.id} to {out}")
    return model


def _check(name: str, version: str, recipe: Recipe) -> None:
    """Whether there can be such a model: better known before the training than after it."""
    try:
        ModelCard(name=name, version=version, labels=recipe.emotions, files={})
    except ValueError as error:
        raise SettingsError(
            f"a model cannot be called {name!r} with version {version!r}: "
            "lower-case letters, digits, - and _ make a name, three numbers with dots a version"
        ) from error


def _read(path: Path, recipe: Recipe, console: Console) -> Faces:
    faces = dataset.read(path, recipe.emotions)
    counts = ", ".join(f"{emotion} {count:,}" for emotion, count in faces.counts().items())
    console.out(f"{len(faces):,} faces of {path}: {counts}")
    for file in faces.unreadable:
        console.out(f"skipped, not a readable picture: {file}")
    return faces


def _name(path: Path) -> str:
    """What a card calls a dataset: its last part, since where it lies on one machine means nothing on another."""
    return path.resolve().name
