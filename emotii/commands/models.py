"""The commands for models: train, evaluate, calibrate, quantize, visualize; `datasets` has one more."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from contract.errors import SettingsError
from emotii.models.datasets import app as datasets

TRAINING_HINT = "`make train` installs what training needs (or pip install 'emotii[training]')"

app = typer.Typer()
app.add_typer(datasets, name="dataset")
output = Console(highlight=False, soft_wrap=True)
Half = Literal["a", "b"]


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The model folder to make; its name is the model's.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Faces: an .npz with votes, or a folder with a folder for each emotion. "
            'By default Kaggle\'s "Human Face Emotions", which is downloaded.'
        ),
    ] = None,
    valid: Annotated[
        Path | None, typer.Option(help="Faces to validate on, as --data; by default a fifth that is set aside first.")
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="How to train: emotii; continue and finish, after it; seed, as the first Emotii.")
    ] = "emotii",
    start: Annotated[str | None, typer.Option("--from", help="Begin with this model: a name or a folder.")] = None,
    emotions: Annotated[
        str | None,
        typer.Option(help="What is told apart, with commas between; by default the recipe's, or a folder's own."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    run_folder: Annotated[
        Path | None, typer.Option("--run", help="Where the run is saved after each epoch; by default runs/NAME.")
    ] = None,
    version: Annotated[str, typer.Option(help="The model's version.")] = "1.0.0",
    h5: Annotated[
        Path | None, typer.Option(help="Write the network as HDF5 too, as the first Emotii's mnist_cnn_model.h5.")
    ] = None,
) -> None:
    """Train a model and export it for every engine.

    --data and --valid take an .npz with `images` (n, 48, 48) uint8 and `votes` (n, 10) uint8, the FER+ taggers' votes
    (`emotii dataset ferplus` makes one), or a folder that holds a folder of pictures for each emotion, whatever they
    are called: Angry/ Fear/ Happy/ Sad/ Suprise/, or tired/ awake/.

    Killed and started again with the same options, it goes on where it was; to start anew, remove the run's folder.

    Example: emotii train --data my-faces --from emotii-8 --recipe emotii --epochs 5 --out models/mine
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it while it is imported
    try:
        from contract.model.folder import find_model
        from training.recipe import find_recipe
        from training.train import train as begin
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed: {TRAINING_HINT}") from error

    begin(
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


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="Faces: an .npz with votes, or a folder with a folder for each emotion.")],
    model: Annotated[str | None, typer.Option(help="A model's name or folder; by default EMOTII_MODEL.")] = None,
    engine: Annotated[str | None, typer.Option(help="openvino or tensorflow; by default EMOTII_ENGINE.")] = None,
    half: Annotated[
        Half | None, typer.Option(help="Of a validation set: a (which chose thresholds) or b (which only reports).")
    ] = None,
    only: Annotated[str | None, typer.Option(help="Only faces of these emotions, with commas between.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    figures: Annotated[Path, typer.Option(help="Folder for the confusion matrix and the reliability diagram.")] = Path(
        "evaluation"
    ),
    agreement: Annotated[bool, typer.Option(help="See whether the other engines agree.")] = True,
) -> None:
    """Measure a model on faces whose emotion is known: scores, calibration, robustness, agreement of engines.

    A model with more emotions than the data has is measured on those of the data: its probabilities are scaled to them.

    Example: emotii evaluate --model emotii-5 --data faces-valid.npz --half b
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it while it is imported
    from emotii.models.evaluate import evaluate_model, write_figures

    names = [name.strip() for name in only.split(",")] if only else None
    report = evaluate_model(
        model, data, engine, half=half, only=names, agreement=agreement, console=Console(stderr=True)
    )
    drawn = write_figures(report, figures)
    if as_json:
        typer.echo(json.dumps(report.as_json(), allow_nan=False))
        return
    report.show(output)
    typer.echo(f"Figures: {', '.join(map(str, drawn))}")


@app.command()
def calibrate(
    data: Annotated[Path, typer.Option(help="Faces that the model was not trained on, as for evaluate.")],
    model: Annotated[str, typer.Option(help="A model's name or folder; its model.json is written anew.")],
    half: Annotated[Half | None, typer.Option(help="Of a validation set: a, so that b can report.")] = None,
    precision: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="The share of answers that should be right.")
    ] = 0.95,
) -> None:
    """Fit a model's temperature, and the thresholds below which it says "uncertain".

    Example: emotii calibrate --model models/emotii-5 --data faces-valid.npz --half a
    """
    from emotii.models.calibrate import calibrate_model

    card = calibrate_model(model, data, half, precision)
    if card.uncertain is None:
        typer.echo(f"{card.id}: temperature {card.temperature:g}; no thresholds reach a precision of {precision:.1%}")
        return
    asked = f"probability {card.uncertain.min_probability:g} and lead {card.uncertain.min_margin:g}"
    typer.echo(f"{card.id}: temperature {card.temperature:g}; answers from {asked} on")


@app.command()
def quantize(
    data: Annotated[Path, typer.Option(help="Faces that the model was trained on, as for train.")],
    valid: Annotated[Path, typer.Option(help="Faces that it was not trained on, as for evaluate.")],
    model: Annotated[
        str, typer.Option(help="A model's name or folder; files are added and its model.json written anew.")
    ],
    half: Annotated[Half | None, typer.Option(help="Of the validation set: a, so that b can report.")] = None,
) -> None:
    """Add a model's network in 8-bit integers, which CPUs compute two to three times as fast as floats.

    It is kept only if it answers as well: the same emotion for 99% of the faces, accuracy within 0.3 points.

    Example: emotii quantize --model models/mine --data faces-train.npz --valid faces-valid.npz --half a
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # as above
    try:
        from emotii.models.quantize import quantize_model
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed: {TRAINING_HINT}") from error

    agreement = quantize_model(model, data, valid, half)
    typer.echo(
        f"{model}: in 8-bit integers the same emotion for {agreement.same_top:.2%} of the faces,"
        f" accuracy {100 * agreement.accuracy_difference:+.2f} points"
    )


@app.command()
def visualize(
    picture: Annotated[Path, typer.Argument(help="A picture: JPEG, PNG, WebP, ...")],
    sheet: Annotated[Path, typer.Option(help="Where the sheet goes.")] = Path("explanation.png"),
    model: Annotated[str | None, typer.Option(help="A model's name or folder; by default EMOTII_MODEL.")] = None,
    face: Annotated[int, typer.Option(min=1, help="Which face; 1 is the largest.")] = 1,
    whole: Annotated[bool, typer.Option("--whole", help="The picture is a face already.")] = False,
) -> None:
    """Show what the network looks at in a face: the maps of its layers, and where the evidence lies (Grad-CAM).

    Needs TensorFlow: pip install 'emotii[training]'
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it while it is imported
    try:
        from emotii.models.visualize import visualize_picture
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed; pip install 'emotii[training]'") from error

    visualize_picture(picture, sheet, model, face, whole=whole)
    typer.echo(f"Sheet: {sheet}")
