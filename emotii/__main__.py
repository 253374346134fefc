"""The `emotii` command. Each subcommand imports what it needs when it runs, so that `--help` is fast."""

import os
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contract.errors import SettingsError
from contract.service.lifecycle import USAGE_EXIT, run
from emotii.commands.models import app as models
from emotii.commands.recordings import PANEL as ANALYSIS
from emotii.commands.recordings import app as recordings
from emotii.commands.recordings import bound_opencv

OPERATION, SERVICES = "Run and maintain Emotii", "Run one service"
"""Panels of the help; the modules of `emotii.commands` have the others."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Self-hosted real-time facial emotion recognition.\n\n"
    "Start with [bold]emotii up[/bold], and open the URL that it prints.",
    epilog="Examples:\n\n"
    "emotii up --source door=rtsp://192.0.2.7/stream\n\n"
    "emotii analyze interview.mp4 --out interview\n\n"
    "emotii predict portrait.jpg\n\n"
    "Every command has its own help: [bold]emotii up --help[/bold]",
    rich_markup_mode="rich",
)
output = Console(highlight=False, soft_wrap=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emotii {version('emotii')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(rich_help_panel=OPERATION)
def up(
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A source to capture. ADDRESS is the number of a webcam, a file, a folder of pictures, rtsp://..., "
            "http://..., or demo. Repeat the option for several sources.",
            metavar="NAME=ADDRESS",
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Number of inference workers.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the page. Default: 5000, or the next free port.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Start all services on this machine and print the URL of the page. Ctrl-C stops them.

    Without --source, Emotii captures the first webcam, or the demo clip if there is no webcam.

    Example: emotii up --source door=rtsp://192.0.2.7/stream --source desk=0 --workers 2
    """
    from contract.service import logs
    from contract.service.settings import load
    from emotii.commands.up import up as start
    from emotii.settings import UpSettings
    from emotii.settings_reference import unknown

    settings = load(UpSettings, sources=_sources(source), workers=workers, port=port)
    logs.configure(service="up", level=settings.log_level)
    for sentence in unknown(os.environ):
        typer.echo(f"emotii: {sentence}", err=True)
    start(settings, output, open_page=open_page)


@app.command(rich_help_panel=OPERATION)
def doctor() -> None:
    """Check this machine: report what is missing and how to fix it."""
    from emotii.commands.doctor import examine

    colours = {"ok": typer.colors.GREEN, "note": typer.colors.YELLOW, "missing": typer.colors.RED}
    missing = False
    for finding in examine():
        missing |= finding.verdict == "missing"
        verdict = typer.style(f"{finding.verdict:>7}", fg=colours[finding.verdict])
        typer.echo(f"{verdict}  {finding.subject}: {finding.fact}")
        if finding.remedy:
            typer.echo(f"         {finding.remedy}")
    raise typer.Exit(int(missing))


@app.command(rich_help_panel=OPERATION)
def erase(
    everything: Annotated[bool, typer.Option("--all", help="Erase all data.")] = False,
    source: Annotated[str | None, typer.Option(help="Erase only data of this source.")] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", help="Erase only data from this time on, in local time.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", help="Erase only data up to this time, in local time. Default: now.")
    ] = None,
) -> None:
    """Erase saved faces, history, uploaded recordings, and the data in Redis.

    The command works whether Emotii is running or not. If it is interrupted, Emotii completes the erasure later.

    Example: emotii erase --source door --from "2026-01-31 08:00:00"
    """
    from contract.service import logs
    from contract.service.settings import load
    from emotii.commands.erase import ErasureRequest
    from emotii.commands.erase import erase as start_erasure
    from emotii.settings import UpSettings

    settings = load(UpSettings)
    logs.configure(service="erase", level=settings.log_level)
    request = ErasureRequest.parse(everything=everything, source=source, start=start, end=end)
    start_erasure(settings, request, output)


@app.command(rich_help_panel=ANALYSIS)
def predict(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, WebP, ...", metavar="PICTURE...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    chart: Annotated[
        Path | None,
        typer.Option(help="File to write the probability chart to. Default: emotions.png, with --json none."),
    ] = None,
    no_chart: Annotated[bool, typer.Option("--no-chart", help="Do not draw a chart.")] = False,
) -> None:
    """Classify the expression of every face in pictures, and draw a chart of the probabilities.

    The figures are the model's probabilities of expressions. They are not facts about feelings.

    Example: emotii predict portrait.jpg group.png --json
    """
    bound_opencv()
    from emotii.pictures.predict import print_predictions

    if chart is None and not as_json:
        chart = Path("emotions.png")
    if not print_predictions(pictures, None if no_chart else chart, as_json=as_json):
        raise typer.Exit(USAGE_EXIT)


@app.command(rich_help_panel=SERVICES)
def capture(
    source: Annotated[
        list[str] | None,
        typer.Option(help="A source to capture, as for `emotii up`.", metavar="NAME=ADDRESS"),
    ] = None,
) -> None:
    """Run the capture service: it finds faces in the sources and sends face crops to Redis."""
    from capture_service.__main__ import main as start

    if sources := _sources(source):
        os.environ["EMOTII_SOURCES"] = sources
    start()


@app.command(rich_help_panel=SERVICES)
def infer() -> None:
    """Run one inference worker. Start any number of them, on any machine that reaches Redis."""
    from inference_service.__main__ import main as start

    start()


@app.command(rich_help_panel=SERVICES)
def serve(port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None) -> None:
    """Run one gateway: the page, MJPEG video, WebSocket and REST."""
    from api_gateway.__main__ import main as start

    if port is not None:
        os.environ["EMOTII_PORT"] = str(port)
    start()


@app.command(rich_help_panel=SERVICES)
def jobs() -> None:
    """Run the jobs service: it analyses recordings that are uploaded over REST (POST /api/v1/jobs)."""
    from jobs_service.__main__ import main as start

    start()


app.add_typer(recordings)
app.add_typer(models)


def _sources(options: list[str] | None) -> str | None:
    """The --source options in the form of EMOTII_SOURCES."""
    for option in options or []:
        if "," in option:
            name = option.split("=")[0]
            raise SettingsError(f"--source {name}: an address with a comma must be in the file EMOTII_SOURCES_FILE")
    return ",".join(options) if options else None


def main() -> None:
    """The entry point. An error that the user can fix is printed in one line, without a traceback."""
    run(app)


if __name__ == "__main__":
    main()
