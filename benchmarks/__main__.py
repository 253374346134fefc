"""`python -m benchmarks`: every question, or those that are named; `make bench` runs it."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.measuring.machine import machine
from benchmarks.measuring.measure import Size
from benchmarks.questions import QUESTIONS
from benchmarks.reporting.answer import Answer
from benchmarks.reporting.page import write
from benchmarks.reporting.record import Entry, load, save
from benchmarks.reporting.table import screen, show


def main(
    questions: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(QUESTIONS)}.")] = None,
    size: Annotated[Size, typer.Option(help="How long it may take.")] = Size.FULL,
    json: Annotated[Path | None, typer.Option(help="File for the figures; older ones of other questions stay.")] = None,
    page: Annotated[Path | None, typer.Option(help="Page that tells the figures of that file, with plots.")] = None,
) -> None:
    """Measure, and show the figures as they come. A question that breaks off is told; the others are asked."""
    if unknown := set(questions or ()) - set(QUESTIONS):
        raise typer.BadParameter(f"no such question: {', '.join(sorted(unknown))}; there are: {', '.join(QUESTIONS)}")
    console = screen()
    here = machine()
    console.print(here.sentence)
    record = load(json) if json else {}
    failed = []
    for question in questions or QUESTIONS:
        console.rule(question)
        if (answer := _asked(question, size, console)) is None:
            failed.append(question)
            continue
        show(answer, console)
        record[question] = Entry(answer, here, size)
        if json:
            save(record, json)
    if page:
        write(page, record)
    if failed:
        console.print(f"Broken off: {', '.join(failed)}")
        raise typer.Exit(1)


def _asked(question: str, size: Size, console: Console) -> Answer | None:
    """None after an error, which is shown: an hour's other figures need not go with it."""
    try:
        answer: Answer = import_module(f"benchmarks.questions.{question}").ask(size, console)
    except Exception:  # noqa: BLE001 - whatever it is, it is shown with its traceback and ends in exit code 1
        console.print_exception()
        return None
    return answer


if __name__ == "__main__":
    typer.run(main)
