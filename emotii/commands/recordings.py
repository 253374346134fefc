"""The commands for recordings: analyze and report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from jobs_service.outputs.outputs import Outputs

app = typer.Typer()
PANEL = "Analyse pictures and recordings"
VIDEO = typer.Argument(help="A video file (any format that FFmpeg reads, GIF too), a folder of pictures, or demo.")
WORKERS = typer.Option(help="Number of workers to start, unless EMOTII_REDIS_URL names a system that has workers.")


@app.command(rich_help_panel=PANEL)
def analyze(
    video: Annotated[str, VIDEO],
    out: Annotated[
        Path | None, typer.Option(help="Folder for all files below, with their usual names.", metavar="FOLDER")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Table with one row per face and frame: time, box, emotion, all probabilities.")
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option(help="The same as JSON lines, with smoothed probabilities and quality flaws.")
    ] = None,
    episodes: Annotated[
        Path | None, typer.Option(help="Table of episodes: which face showed which emotion, from when to when.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(help="Chart (PNG) of the probabilities and episodes of each face over time.")
    ] = None,
    annotated: Annotated[
        Path | None, typer.Option(help="Video (.webm) with boxes and emotions, at the speed of the recording.")
    ] = None,
    passes: Annotated[int, typer.Option(min=1, help="How many times to analyse the recording.")] = 1,
    workers: Annotated[int | None, WORKERS] = None,
) -> None:
    """Classify every face of every frame of a recording exactly once, and write the results to files.

    Each file is complete or absent, even if the disk fills up. For a folder of pictures, every row names its picture.

    The same recording gives the same files. A manifest beside them says what they were made from.

    docs/analysis-files.md explains each column.

    The figures are the model's probabilities of expressions. They are not facts about feelings.

    Example, all files in one folder: emotii analyze interview.mp4 --out interview

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
    _analyze(video, Outputs.all_in(out).overridden_by(named) if out else named, passes, workers, out)


@app.command(rich_help_panel=PANEL)
def report(
    video: Annotated[str, VIDEO],
    out: Annotated[Path, typer.Option(help="The page to write.", metavar="FILE")] = Path("report.html"),
    workers: Annotated[int | None, WORKERS] = None,
) -> None:
    """Write one HTML page about a recording: timeline, shares, episodes, best faces, and the limits of the model.

    The page is self-contained: it loads nothing and runs no script, so you can send and archive it.

    The page shows faces: handle it with the same care as the recording.

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
    """Limit what OpenCV decodes. OpenCV reads these limits when it is imported, so call this before."""
    from capture_service.settings import CaptureSettings
    from capture_service.sources.opencv import limit
    from contract.service.settings import load

    limit(load(CaptureSettings))
