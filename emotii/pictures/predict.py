"""`emotii predict`: tells what pictures show, as text or JSON, and draws the chart."""

import json
from collections.abc import Iterable
from pathlib import Path

import typer

from contract.errors import PictureError
from emotii.pictures.chart import draw
from emotii.pictures.prediction import Prediction, predict


def tell(pictures: Iterable[Path], chart: Path | None, *, as_json: bool) -> bool:
    """Print the faces of each picture and draw their chart; whether every picture could be read.

    Raises:
        EmotiiError: a setting cannot be used, or the chart cannot be written.
    """
    faces: list[Prediction] = []
    answers: list[dict[str, object]] = []
    for path, found in predict(pictures):
        if isinstance(found, PictureError):
            answers.append({"picture": str(path), "error": str(found)})
            typer.echo(f"emotii: {found}", err=True)
            continue
        faces += found
        answers.append({"picture": str(path), "faces": [face.as_json() for face in found]})
        if not as_json:
            _tell(path, found)
    if as_json:
        typer.echo(json.dumps(answers))
    if faces and chart is not None:
        draw(faces, chart)
        typer.echo(f"Chart: {chart}", err=as_json)
    return not any("error" in answer for answer in answers)


def _tell(path: Path, faces: list[Prediction]) -> None:
    if not faces:
        typer.echo(f"{path}: no face found")
    for number, face in enumerate(faces, 1):
        typer.echo(f"{path}: face {number}: {typer.style(str(face), bold=True)}")
