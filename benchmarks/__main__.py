"""`python -m benchmarks`: every question, or the named ones; `make bench` runs it."""

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
    json: Annotated[Path | None, typer.Option(help="File for the figures; others in it stay.")] = None,
    page: Annotated[Path | None, typer.Option(help="Page to update with the figures and plots of that file.")] = None,
) -> None:
    """Measure, and print the figures of each question. A question that fails is reported; the others run."""
    if unknown := set(questions or ()) - set(QUESTIONS):
        raise typer.BadParameter(f"no such question: {', '.join(sorted(unknown))}; there are: {', '.join(QUESTIONS)}")
    console = screen()
    here = machine()
    console.print(here.sentence)
    record = load(json) if json else {}
    failed = []
    for question in questions or QUESTIONS:
        console.rule(question)
        if (answer := _answered(question, size, console)) is None:
            failed.append(question)
            continue
        show(answer, console)
        record[question] = Entry(answer, here, size)
        if json:
            save(record, json)
    if page:
        write(page, record)
    if failed:
        console.print(f"Failed: {', '.join(failed)}")
        raise typer.Exit(1)


def _answered(question: str, size: Size, console: Console) -> Answer | None:
    """The answer, or None after an error, which is printed, so that the other questions still run."""
    try:
        answer: Answer = import_module(f"benchmarks.questions.{question}").ask(size, console)
    except Exception:  # noqa: BLE001 - every error is printed with its traceback and leads to exit code 1
        console.print_exception()
        return None
    return answer


if __name__ == "__main__":
    typer.run(main)
