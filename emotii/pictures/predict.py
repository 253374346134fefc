"""`emotii predict`: prints the expressions in pictures as text or JSON, and draws the chart."""

import json
from collections.abc import Iterable
from pathlib import Path

import typer

from contract.atomic_file import check_outputs
from contract.errors import PictureError
from contract.printable import printable
from emotii.pictures.chart import draw
from emotii.pictures.prediction import Prediction, predict


def print_predictions(pictures: Iterable[Path], chart: Path | None, *, as_json: bool) -> bool:
    """Print the faces of each picture and draw their chart.

    Returns:
        Whether every picture could be read.

    Raises:
        EmotiiError: a setting cannot be used, or the chart cannot be written, for example because it is a picture.
    """
    pictures = list(pictures)
    if chart is not None:
        check_outputs([chart], pictures)
    faces: list[Prediction] = []
    results: list[dict[str, object]] = []
    for path, found in predict(pictures):
        if isinstance(found, PictureError):
            results.append({"picture": printable(path), "error": str(found)})
            typer.echo(f"emotii: {found}", err=True)
            continue
        faces += found
        results.append({"picture": printable(path), "faces": [face.as_json() for face in found]})
        if not as_json:
            _print_faces(path, found)
    if as_json:
        typer.echo(json.dumps(results))
    if faces and chart is not None:
        draw(faces, chart)
        typer.echo(f"Chart: {chart}", err=as_json)
    return not any("error" in result for result in results)


def _print_faces(path: Path, faces: list[Prediction]) -> None:
    if not faces:
        typer.echo(f"{printable(path)}: no face found")
    for number, face in enumerate(faces, 1):
        typer.echo(f"{printable(path)}: face {number}: {typer.style(str(face), bold=True)}")
