"""From labelled faces to a model folder: prepare, build and fit, evaluate, export."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from contract.atomic_file import AtomicFile, check_output_folder, check_outputs, writable
from contract.errors import SettingsError
from contract.model.folder import ModelCard, ModelFolder
from training.datasets.download import download
from training.datasets.material import prepare
from training.evaluation.scores import score
from training.export.card import FER_PLUS, OWN_FACES
from training.export.model_folder import export
from training.export.training_result import TrainingResult
from training.fitting.fit import fit
from training.fitting.run import Run
from training.recipe import SEED, Recipe

RUNS = Path("runs")
"""The default folder of unfinished and finished runs."""


def train(
    data: Path | None,
    valid: Path | None,
    out: Path,
    recipe: Recipe = SEED,
    *,
    emotions: tuple[str, ...] | None = None,
    start: ModelFolder | None = None,
    run: Path | None = None,
    version: str = "1.0.0",
    h5: Path | None = None,
    console: Console | None = None,
) -> ModelFolder:
    """Train a network and write it as the model folder `out`, whose name becomes the name of the model.

    After a kill, the next call resumes after the last complete epoch. Every choice is made on half A of the validation
    faces; the scores are measured on half B.

    Args:
        data: an `.npz` file with FER+ votes, or a folder of class folders; downloaded from Kaggle if None.
        valid: the same, for validation; if None, a fifth of `data` that is set aside first.
        out: the model folder, for example `models/emotii-5`.
        recipe: how to train.
        emotions: the classes; if None those of the recipe, or those of `data` if it is a folder of others.
        start: a model whose weights training starts with; if None a new network.
        run: the folder for history, weights and state of each epoch; `runs/<name of the model>` if None.
        version: of the model, as three numbers.
        h5: a file for the network as HDF5, for programs that need it; none if None.
        console: for messages; the terminal if None.

    Raises:
        DatasetError: the faces cannot be downloaded or read, or are too few, or `run` holds a run with another recipe
            or other faces.
        SettingsError: a model cannot have this name, version or these emotions, or an output would destroy an input.
        ModelError: `start` has another architecture, or the export does not compute what the network does.
    """
    console = console or Console()
    _check(out.name, version, recipe.emotions)
    given = [path for path in (data, valid) if path is not None]
    check_output_folder(out, given)
    if h5 is not None:
        h5 = h5.with_suffix(".h5")
        check_outputs([h5], given)
    data = data or download()
    material = prepare(data, valid, recipe, emotions, console)
    recipe = replace(recipe, emotions=material.fitted.emotions)
    if start is not None:  # its weights are valid only for the inputs they were trained on
        recipe = replace(recipe, normalisation=start.card.normalisation)
    _check(out.name, version, recipe.emotions)

    progress = Run.open(run or RUNS / out.name, recipe, material.fitted, start.card.id if start else None)
    progress.write_split(material.parts())
    progress.write_left_out(material.left_out())
    if done := len(progress.history()):
        console.out(f"{done} epochs are done already, in {progress.folder}")
    network = fit(material.fitted, material.choosing, recipe, progress, console, start)

    def probabilities(of: str) -> NDArray[np.float32]:
        images = material.parts()[of].images
        found: NDArray[np.float32] = network.predict(recipe.normalisation.apply(images), batch_size=256, verbose=0)
        return found

    scores = score(probabilities("reporting"), material.reporting.labels, recipe.emotions)
    console.out(f"on {material.scored_on}: {scores}")
    trained = TrainingResult(
        network=network,
        recipe=recipe,
        history=progress.history(),
        scores=scores,
        reporting=material.reporting,
        choosing=(probabilities("choosing"), material.choosing.labels),
        start=start.card.id if start else None,
        trained_on=material.trained_on,
        scored_on=material.scored_on,
        licence=OWN_FACES if data.is_dir() else FER_PLUS,
    )
    model = export(trained, out, version)
    if h5 is not None:
        with writable(h5):
            h5.parent.mkdir(parents=True, exist_ok=True)
        with AtomicFile(h5) as partial:
            network.save(partial)
    console.out(f"wrote {model.card.id} to {out}")
    return model


def _check(name: str, version: str, emotions: tuple[str, ...]) -> None:
    """Raise for an invalid name, version or set of emotions before the training instead of after it."""
    try:
        ModelCard(name=name, version=version, labels=emotions, files={})
    except ValueError as error:
        raise SettingsError(
            f"a model cannot be called {name!r} with version {version!r} and tell apart {', '.join(emotions)}: "
            "lower-case letters, digits, - and _ make a name and a label (two to 64 labels), "
            "three numbers with dots a version"
        ) from error
