"""The `emotii` command. Each subcommand imports what it needs itself, so that `--help` answers at once."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from contract.errors import SettingsError
from contract.lifecycle import run

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Real-time facial emotion recognition that you run yourself.\n\n"
    "Start with [bold]emotii up[/bold] and open the page whose address it prints.",
    rich_markup_mode="rich",
)
Half = Literal["a", "b"]
output = Console(highlight=False, soft_wrap=True)


@app.command()
def up(
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="What is watched, NAME=ADDRESS: a webcam's number, a file, a folder of pictures, rtsp://..., "
            "http://..., or demo. Repeat it for several.",
            metavar="NAME=ADDRESS",
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="How many inference workers.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the page; by default 5000, or the next free one.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Run everything here and print the page's address; Ctrl-C stops it.

    Without --source it watches the first webcam, or the demo clip where there is none.
    """
    from contract import logs
    from contract.settings import load
    from emotii.settings import UpSettings
    from emotii.up import up as start

    settings = load(UpSettings, sources=_sources(source), workers=workers, port=port)
    logs.configure(service="up", level=settings.log_level)
    start(settings, output, open_page=open_page)


@app.command()
def capture(
    source: Annotated[list[str] | None, typer.Option(help="What is watched.", metavar="NAME=ADDRESS")] = None,
) -> None:
    """Watch sources: find faces and put their crops into Redis."""
    from capture_service.__main__ import main as start

    if sources := _sources(source):
        os.environ["EMOTII_SOURCES"] = sources
    start()


@app.command()
def infer() -> None:
    """Run one inference worker; start as many as you like, on any machine that reaches Redis."""
    from inference_service.__main__ import main as start

    start()


@app.command()
def serve(port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None) -> None:
    """Run one gateway: the page, MJPEG, WebSocket and REST."""
    from api_gateway.__main__ import main as start

    if port is not None:
        os.environ["EMOTII_PORT"] = str(port)
    start()


@app.command()
def predict(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, WebP, ...", metavar="PICTURE...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    chart: Annotated[Path, typer.Option(help="Where the probability chart goes.")] = Path("emotions.png"),
    no_chart: Annotated[bool, typer.Option("--no-chart", help="Draw no chart.")] = False,
) -> None:
    """Tell the expression of every face in pictures, and draw a chart of the probabilities.

    The figures are probabilities of an expression, as the model sees it; they are no facts about a feeling.
    """
    from emotii.predict import predict_pictures

    found = predict_pictures(pictures)
    faces = [face for _, faces in found for face in faces]
    if faces and not no_chart:
        from emotii.chart import draw

        draw(faces, chart)
    if as_json:
        answer = [{"picture": str(path), "faces": [face.as_json() for face in faces]} for path, faces in found]
        typer.echo(json.dumps(answer))
        return
    for path, faces in found:
        if not faces:
            typer.echo(f"{path}: no face found")
        for number, face in enumerate(faces, 1):
            typer.echo(f"{path}: face {number}: {typer.style(str(face), bold=True)}")
    if faces and not no_chart:
        typer.echo(f"Chart: {chart}")


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
        from emotii.visualize import visualize_picture
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed; pip install 'emotii[training]'") from error

    visualize_picture(picture, sheet, model, face, whole=whole)
    typer.echo(f"Sheet: {sheet}")


@app.command()
def analyze(
    video: Annotated[
        str, typer.Argument(help="A video file (anything OpenCV reads, GIF too) or a folder of pictures.")
    ],
    csv: Annotated[Path, typer.Option(help="The table to write: one row a face and frame.")],
    passes: Annotated[int, typer.Option(min=1, help="Go through the recording this many times.")] = 1,
    workers: Annotated[
        int | None, typer.Option(help="Workers to start, unless EMOTII_REDIS_URL names a system that has some.")
    ] = None,
) -> None:
    """Classify every face of every frame of a recording, exactly once, into a CSV."""
    from contract import logs
    from contract.settings import load
    from emotii.analyze import analyze as start
    from emotii.settings import UpSettings

    settings = load(UpSettings, workers=workers)
    logs.configure(service="analyze", level=settings.log_level)
    start(video, csv, passes, settings, Console(stderr=True))


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
        str, typer.Option(help="How to train: emotii, or seed, the recipe of the first Emotii.")
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
    from contract.model import find_model
    from training.recipe import find_recipe
    from training.train import train as begin

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


dataset = typer.Typer(no_args_is_help=True, help="Make datasets that `train` and `evaluate` read.")
app.add_typer(dataset, name="dataset")


@dataset.command()
def ferplus(
    pictures: Annotated[Path, typer.Argument(help="fer2013.csv, of Kaggle's challenge of 2013.")],
    votes: Annotated[Path, typer.Argument(help="fer2013new.csv, of github.com/microsoft/FERPlus.")],
    out: Annotated[Path, typer.Option(help="The .npz to write.")],
    usage: Annotated[
        str, typer.Option(help="Training, PublicTest (for validation) or PrivateTest (for the final score).")
    ] = "Training",
) -> None:
    """Put FER2013's faces and their FER+ votes into one .npz.

    Example: emotii dataset ferplus fer2013.csv fer2013new.csv --usage PublicTest --out faces-valid.npz
    """
    from training.ferplus import make_npz

    typer.echo(f"wrote {make_npz(pictures, votes, usage, out):,} faces of {usage} to {out}")


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
    from emotii.evaluate import evaluate_model, write_figures

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
    from emotii.calibrate import calibrate_model

    card = calibrate_model(model, data, half, precision)
    if card.uncertain is None:
        typer.echo(f"{card.id}: temperature {card.temperature:g}; no thresholds reach a precision of {precision:.1%}")
        return
    asked = f"probability {card.uncertain.min_probability:g} and lead {card.uncertain.min_margin:g}"
    typer.echo(f"{card.id}: temperature {card.temperature:g}; answers from {asked} on")


@app.command()
def doctor() -> None:
    """Say what is missing on this machine and how to mend it."""
    from emotii.doctor import examine

    colours = {"ok": typer.colors.GREEN, "note": typer.colors.YELLOW, "missing": typer.colors.RED}
    missing = False
    for finding in examine():
        missing |= finding.verdict == "missing"
        verdict = typer.style(f"{finding.verdict:>7}", fg=colours[finding.verdict])
        typer.echo(f"{verdict}  {finding.subject}: {finding.fact}")
        if finding.remedy:
            typer.echo(f"         {finding.remedy}")
    raise typer.Exit(int(missing))


def _sources(source: list[str] | None) -> str | None:
    """Several --source as EMOTII_SOURCES has them."""
    for one in source or []:
        if "," in one:
            raise SettingsError(f"--source {one.split('=')[0]}: an address with a comma goes into EMOTII_SOURCES_FILE")
    return ",".join(source) if source else None


def main() -> None:
    """The entry point: what a person can mend is one line, without a traceback."""
    run(app)


if __name__ == "__main__":
    main()
