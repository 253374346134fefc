"""The commands `emotii dataset ...`: make datasets that `train` and `evaluate` read."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Make datasets that `train` and `evaluate` read.")


@app.command()
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
    from training.datasets.ferplus import make_npz

    typer.echo(f"wrote {make_npz(pictures, votes, usage, out):,} faces of {usage} to {out}")


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    faces: Annotated[Path, typer.Option(help="The folder of saved faces, EMOTII_SAVED_FACES of the gateway.")] = Path(
        "saved_faces"
    ),
    relabelled_only: Annotated[
        bool, typer.Option("--relabelled-only", help="Only faces that a person has labelled in the gallery.")
    ] = False,
) -> None:
    """Make class folders of saved faces, for `emotii train --data FOLDER --from emotii-8`.

    A face stands under the emotion that a person gave it in the gallery, else under the model's. Faces that are
    uncertain and that nobody labelled are left out. Each is framed as the network will see it.

    Example: emotii dataset export --faces saved_faces --out my-faces, then
    emotii train --data my-faces --from emotii-8 --epochs 5 --out models/mine
    """
    from capture_service.detectors import configured
    from capture_service.settings import CaptureSettings
    from capture_service.sources.opencv import limit
    from contract.service.settings import load

    settings = load(CaptureSettings)
    limit(settings)
    from emotii.models.saved_faces import export as begin

    console = Console(stderr=True)
    done = begin(faces, out, configured(settings), relabelled_only=relabelled_only, console=console)
    for file in done.unreadable:
        console.out(f"skipped, not a readable picture: {file}")
    if done.as_saved:
        console.out(f"{done.as_saved:,} in which the detector finds no face stand as they were saved")
    if done.left_out:
        console.out(f"{done.left_out:,} that nobody has labelled were left out")
    counts = ", ".join(f"{emotion} {count:,}" for emotion, count in sorted(done.faces.items()))
    typer.echo(f"wrote {done.faces.total():,} faces to {out}: {counts}")
    typer.echo(f"next: emotii train --data {out} --from emotii-8 --epochs 5 --out models/mine")
