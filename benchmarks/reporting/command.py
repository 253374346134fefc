"""Running one question alone: `python -m benchmarks.questions.engine --size quick`."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.measuring.measure import Size
from benchmarks.reporting.answer import Answer
from benchmarks.reporting.table import screen, show

Question = Callable[[Size, Console], Answer]


def run_question(question: Question) -> None:
    """Run the module of a question as a program."""

    def main(size: Annotated[Size, typer.Option(help="How long it may take.")] = Size.QUICK) -> None:
        console = screen()
        show(question(size, console), console)

    typer.run(main)
