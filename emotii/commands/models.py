"""The commands for models: train, evaluate, calibrate, quantize, visualize, dataset."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from contract.errors import SettingsError
from contract.service.installation import install_hint
from emotii.models.datasets import app as datasets

PANEL = "Train and measure models"
Half = Literal["a", "b"]
app = typer.Typer()
output = Console(highlight=False, soft_wrap=True)


@app.command(rich_help_panel=PANEL)
def train(
    out: Annotated[Path, typer.Option(help="The model folder to create; its name is the name of the model.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Faces to train on: an .npz with votes, or a folder with one folder per emotion. "
            'Default: Kaggle\'s "Human Face Emotions", which is downloaded.'
        ),
    ] = None,
    valid: Annotated[
        Path | None,
        typer.Option(
            help="Faces to validate on, as for --data. Default: a fifth of --data, set aside before training."
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            help="Training recipe: emotii; continue and finish, which follow it; or seed, that of the first Emotii."
        ),
    ] = "emotii",
    start: Annotated[str | None, typer.Option("--from", help="Model to start from: a name or a folder.")] = None,
    emotions: Annotated[
        str | None,
        typer.Option(
            help="Emotions to distinguish, separated by commas. Default: those of the recipe or of the folder."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Number of epochs. Default: that of the recipe.")] = None,
    run_folder: Annotated[
        Path | None, typer.Option("--run", help="Folder that stores the run after each epoch. Default: runs/NAME.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the model.")] = "1.0.0",
    h5: Annotated[
        Path | None,
        typer.Option(help="Also write the network to this HDF5 file, like mnist_cnn_model.h5 of the first Emotii."),
    ] = None,
) -> None:
    """Train a model and export it for every engine.

    --data and --valid take one of two formats. An .npz holds `images` (n, 48, 48) uint8 and `votes` (n, 10) uint8 of
    the FER+ taggers; `emotii dataset ferplus` creates one. A folder holds one folder of pictures per emotion, with any
    names: Angry/ Fear/ Happy/ Sad/ Suprise/, or tired/ awake/.

    If training is interrupted, the same command continues it. To start again, remove the folder of the run.

    Example: emotii train --data my-faces --from emotii-8 --recipe emotii --epochs 5 --out models/mine
    """
    with _training_packages():
        from contract.model.folder import find_model
        from training.recipe import find_recipe
        from training.train import train as start_training

    start_training(
        data,
        valid,
        out,
        find_recipe(recipe, epochs),
        emotions=tuple(name.strip() for name in emotions.split(",")) if emotions else None,
        start=find_model(start) if start else None,
        run=run_folder,
        version=version,
        h5=h5,
        console=output,
    )


@app.command(rich_help_panel=PANEL)
def evaluate(
    data: Annotated[
        Path, typer.Option(help="Labelled faces: an .npz with votes, or a folder with one folder per emotion.")
    ],
    model: Annotated[str | None, typer.Option(help="Name or folder of a model. Default: EMOTII_MODEL.")] = None,
    engine: Annotated[str | None, typer.Option(help="openvino or tensorflow. Default: EMOTII_ENGINE.")] = None,
    half: Annotated[
        Half | None,
        typer.Option(help="Half of a validation set: a (used to choose thresholds) or b (used for nothing else)."),
    ] = None,
    only: Annotated[str | None, typer.Option(help="Use only faces with these emotions, separated by commas.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    figures: Annotated[
        Path | None, typer.Option(help="Folder to write the confusion matrix and the reliability diagram to.")
    ] = None,
    agreement: Annotated[bool, typer.Option(help="Compare the results of the other engines.")] = True,
) -> None:
    """Measure a model on labelled faces: scores, calibration, robustness, agreement of engines.

    If the model has more emotions than the data, its probabilities are scaled to the emotions of the data.

    Example: emotii evaluate --model emotii-5 --data faces-valid.npz --half b
    """
    _quiet_tensorflow()
    from emotii.models.evaluate import evaluate_model, figure_files, write_figures

    drawn = figure_files(figures, data) if figures else []
    names = [name.strip() for name in only.split(",")] if only else None
    report = evaluate_model(
        model, data, engine, half=half, only=names, agreement=agreement, console=Console(stderr=True)
    )
    if drawn:
        write_figures(report, *drawn)
    if as_json:
        typer.echo(json.dumps(report.as_json(), allow_nan=False))
        return
    report.show(output)
    if drawn:
        typer.echo(f"Figures: {', '.join(map(str, drawn))}")


@app.command(rich_help_panel=PANEL)
def calibrate(
    data: Annotated[Path, typer.Option(help="Faces that the model was not trained on, as for `evaluate`.")],
    model: Annotated[str, typer.Option(help="Name or folder of a model; its model.json is updated.")],
    half: Annotated[Half | None, typer.Option(help="Half of a validation set: a, so that b can report.")] = None,
    precision: Annotated[float, typer.Option(min=0.5, max=0.999, help="Target share of correct answers.")] = 0.95,
) -> None:
    """Fit the temperature of a model, and the thresholds below which its result is "uncertain".

    Example: emotii calibrate --model models/emotii-5 --data faces-valid.npz --half a
    """
    from emotii.models.calibrate import calibrate_model

    card = calibrate_model(model, data, half, precision, Console(stderr=True))
    if card.uncertain is None:
        typer.echo(f"{card.id}: temperature {card.temperature:g}; no thresholds reach a precision of {precision:.1%}")
        return
    thresholds = f"probability {card.uncertain.min_probability:g} and margin {card.uncertain.min_margin:g}"
    typer.echo(f"{card.id}: temperature {card.temperature:g}; the result is certain from {thresholds} on")


@app.command(rich_help_panel=PANEL)
def quantize(
    data: Annotated[Path, typer.Option(help="Faces that the model was trained on, as for `train`.")],
    valid: Annotated[Path, typer.Option(help="Faces that it was not trained on, as for `evaluate`.")],
    model: Annotated[
        str, typer.Option(help="Name or folder of a model; files are added and its model.json is updated.")
    ],
    half: Annotated[Half | None, typer.Option(help="Half of the validation set: a, so that b can report.")] = None,
) -> None:
    """Add the network of a model in 8-bit integers, which CPUs compute two to three times as fast as floats.

    The files are kept only if the results agree: the same emotion for 99% of the faces, accuracy within 0.3 points.

    Example: emotii quantize --model models/mine --data faces-train.npz --valid faces-valid.npz --half a
    """
    with _training_packages():
        from emotii.models.quantize import quantize_model

    agreement = quantize_model(model, data, valid, half, Console(stderr=True))
    typer.echo(
        f"{model}: 8-bit integers give the same emotion for {agreement.same_top:.2%} of the faces,"
        f" accuracy {100 * agreement.accuracy_difference:+.2f} points"
    )


@app.command(rich_help_panel=PANEL)
def visualize(
    picture: Annotated[Path, typer.Argument(help="A picture: JPEG, PNG, WebP, ...")],
    sheet: Annotated[Path, typer.Option(help="File to write the explanation sheet to.")] = Path("explanation.png"),
    model: Annotated[str | None, typer.Option(help="Name or folder of a model. Default: EMOTII_MODEL.")] = None,
    face: Annotated[int, typer.Option(min=1, help="Number of the face; 1 is the largest.")] = 1,
    whole: Annotated[bool, typer.Option("--whole", help="The whole picture is one face.")] = False,
) -> None:
    """Explain what the network uses in a face: the activations of its layers, and the evidence (Grad-CAM).

    This command needs TensorFlow: `make train` installs it.

    Example: emotii visualize portrait.jpg --sheet explanation.png
    """
    with _training_packages():
        from emotii.models.visualize import visualize_picture

    visualize_picture(picture, sheet, model, face, whole=whole)
    typer.echo(f"Sheet: {sheet}")


app.add_typer(datasets, name="dataset", rich_help_panel=PANEL)


@contextmanager
def _training_packages() -> Iterator[None]:
    """Import the packages of training inside; a package that is not installed is an error that the user can fix."""
    _quiet_tensorflow()
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed: {install_hint('training')}") from error


def _quiet_tensorflow() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads this when it is imported
