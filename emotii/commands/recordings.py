"""The commands for recordings: analyze and report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from jobs_service.outputs.outputs import Outputs

app = typer.Typer()
VIDEO = typer.Argument(help="A video file (anything OpenCV reads, GIF too), a folder of pictures, or demo.")
WORKERS = typer.Option(help="Workers to start, unless EMOTII_REDIS_URL names a system that has some.")


@app.command()
def analyze(
    video: Annotated[str, VIDEO],
    out: Annotated[
        Path | None, typer.Option(help="A folder for everything below, under its usual name.", metavar="FOLDER")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="A table, one row a face and frame: time, box, emotion, every probability.")
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option(help="The same as JSON lines, with smoothed probabilities and what spoils a face.")
    ] = None,
    episodes: Annotated[
        Path | None, typer.Option(help="A table of the episodes: who showed which emotion from when to when.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(help="A picture (PNG): the probabilities of each face over time, and its episodes.")
    ] = None,
    annotated: Annotated[
        Path | None, typer.Option(help="The video with boxes and emotions (.webm), at its own pace.")
    ] = None,
    passes: Annotated[int, typer.Option(min=1, help="Go through the recording this many times.")] = 1,
    workers: Annotated[int | None, WORKERS] = None,
) -> None:
    """Classify every face of every frame of a recording, exactly once, and write it down.

    What is written is whole or not there, also on a full disk. In a folder of pictures every row names its picture.

    docs/analysis-files.md describes each column.

    The figures are probabilities of an expression, as the model sees it; they are no facts about a feeling.

    Example, everything into one folder: emotii analyze interview.mp4 --out interview

    Example, only the table: emotii analyze interview.mp4 --csv faces.csv

    Example, a folder of pictures: emotii analyze photos/ --csv faces.csv --jsonl faces.jsonl
    """
    from jobs_service.outputs.outputs import Outputs

    named = Outputs(
        readings_csv=csv,
        readings_jsonl=jsonl,
        episodes_csv=episodes,
        timeline_png=timeline,
        annotated_webm=annotated,
    )
    _analyze(video, Outputs.all_in(out).but(named) if out else named, passes, workers, out)


@app.command()
def report(
    video: Annotated[str, VIDEO],
    out: Annotated[Path, typer.Option(help="The page to write.", metavar="FILE")] = Path("report.html"),
    workers: Annotated[int | None, WORKERS] = None,
) -> None:
    """Write one HTML page about a recording: timeline, shares, episodes, best faces, and what the model cannot do.

    The page holds everything it shows, loads nothing and runs no script, so that it can be sent and archived as it is.

    It shows faces; treat it as you would treat the recording.

    Example: emotii report interview.mp4 --out interview.html
    """
    from jobs_service.outputs.outputs import Outputs

    _analyze(video, Outputs(report_html=out), 1, workers, None)


def _analyze(video: str, outputs: "Outputs", passes: int, workers: int | None, folder: Path | None) -> None:
    bound_opencv()
    from contract.service import logs
    from contract.service.settings import load
    from emotii.commands.analyze import analyze as start
    from emotii.settings import UpSettings

    settings = load(UpSettings, workers=workers)
    logs.configure(service="analyze", level=settings.log_level)
    start(video, outputs, passes, settings, Console(stderr=True), folder)


def bound_opencv() -> None:
    """Bound what OpenCV decodes, which has to be done before anything imports it."""
    from capture_service.settings import CaptureSettings
    from capture_service.sources.opencv import limit
    from contract.service.settings import load

    limit(load(CaptureSettings))
