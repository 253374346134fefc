"""Running one benchmark by itself: `python -m benchmarks.engine --size quick`."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.answer import Answer
from benchmarks.measure import Size
from benchmarks.table import screen, show

Ask = Callable[[Size, Console], Answer]


def alone(ask: Ask) -> None:
    """What a module of a question does when it is the program."""

    def main(size: Annotated[Size, typer.Option(help="How long it may take.")] = Size.QUICK) -> None:
        console = screen()
        show(ask(size, console), console)

    typer.run(main)
