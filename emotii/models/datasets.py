"""The commands `emotii dataset ...`: create datasets for `train` and `evaluate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Create datasets for `train` and `evaluate`.")


@app.command()
def ferplus(
    pictures: Annotated[
        Path, typer.Argument(help="fer2013.csv or icml_face_data.csv from the Kaggle challenge of 2013.")
    ],
    votes: Annotated[Path, typer.Argument(help="fer2013new.csv from github.com/microsoft/FERPlus.")],
    out: Annotated[Path, typer.Option(help="The .npz to write.")],
    usage: Annotated[
        str, typer.Option(help="Training, PublicTest (for validation) or PrivateTest (for the final score).")
    ] = "Training",
) -> None:
    """Write the faces of FER2013 and their FER+ votes into one .npz.

    Example: emotii dataset ferplus fer2013.csv fer2013new.csv --usage PublicTest --out faces-valid.npz
    """
    from training.datasets.ferplus import make_npz

    made = make_npz(pictures, votes, usage, out)
    if made.unvoted:
        typer.echo(f"left out, without a vote for an emotion: {made.unvoted:,} faces")
    typer.echo(f"wrote {made.faces:,} faces of {usage} to {out}")


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The folder to create.")],
    faces: Annotated[Path, typer.Option(help="The folder of saved faces (EMOTII_SAVED_FACES of the gateway).")] = Path(
        "saved_faces"
    ),
    relabelled_only: Annotated[
        bool, typer.Option("--relabelled-only", help="Export only faces that a person has labelled in the gallery.")
    ] = False,
) -> None:
    """Export saved faces as class folders, for `emotii train --data FOLDER --from emotii-8`.

    The class of a face is the label that a person gave it in the gallery, or else the model's emotion. Uncertain
    faces without a label are omitted. Each face is framed as the input of the network.

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
    from training.datasets.left_out import summary

    console = Console(stderr=True)
    done = begin(faces, out, configured(settings), relabelled_only=relabelled_only, console=console)
    for line in summary(done.unreadable):
        console.out(line)
    if done.as_saved:
        console.out(f"{done.as_saved:,} faces were exported unchanged, because the detector found no face in them")
    if done.left_out:
        console.out(f"{done.left_out:,} faces without a label by a person were omitted")
    counts = ", ".join(f"{emotion} {count:,}" for emotion, count in sorted(done.faces.items()))
    typer.echo(f"wrote {done.faces.total():,} faces to {out}: {counts}")
    typer.echo(f"next: emotii train --data {out} --from emotii-8 --epochs 5 --out models/mine")
