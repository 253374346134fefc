"""The `emotii` command. Each subcommand imports what it needs itself, so that `--help` answers at once."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from contract.errors import SettingsError
from contract.service.lifecycle import USAGE_EXIT, run
from emotii.commands.models import app as makers
from emotii.commands.recordings import app as recordings
from emotii.commands.recordings import bound_opencv

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
    bound_opencv()
    from emotii.pictures.predict import tell

    if not tell(pictures, None if no_chart else chart, as_json=as_json):
        raise typer.Exit(USAGE_EXIT)


@app.command()
def jobs() -> None:
    """Analyse the recordings that are handed in over REST (POST /api/v1/jobs), one after the other."""
    from jobs_service.__main__ import main as start

    start()


@app.command()
def erase(
    everything: Annotated[bool, typer.Option("--all", help="Everything that was ever seen.")] = False,
    source: Annotated[str | None, typer.Option(help="What this source saw.")] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", help="What was seen from this time on, as this machine's clock has it.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", help="What was seen until this time; by default until now.")
    ] = None,
) -> None:
    """Erase what was seen: saved faces, history, recordings that were handed in, and all of it in Redis.

    It works while Emotii runs, and when it does not; where it was broken off, it is taken up again.

    Example: emotii erase --source door --from "2026-01-31 08:00:00"
    """
    from contract.service import logs
    from contract.service.settings import load
    from emotii.commands.erase import asked, erase_and_tell
    from emotii.settings import UpSettings

    settings = load(UpSettings)
    logs.configure(service="erase", level=settings.log_level)
    erase_and_tell(settings, asked(everything=everything, source=source, start=start, end=end), output)


app.add_typer(recordings)
app.add_typer(makers)


@app.command()
def doctor() -> None:
    """Say what is missing on this machine and how to mend it."""
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
