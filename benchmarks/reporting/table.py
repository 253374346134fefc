"""Printing an answer as a table."""

import sys

from rich.console import Console
from rich.table import Table

from benchmarks.reporting.answer import Answer, Row

_COLOURS = {"reached": "green", "enough": "yellow", "missed": "red", "": ""}


def screen() -> Console:
    """The terminal, or lines of 140 characters if the output is not a terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def show(answer: Answer, console: Console) -> None:
    """Print the answer."""
    table = Table(title=answer.question, caption=answer.about, title_justify="left", caption_justify="left")
    for column in ("figure", "value", "unit", "rounds", "must", "reach for", "note"):
        table.add_column(column, justify="right" if column in {"value", "rounds", "must", "reach for"} else "left")
    for row in answer.rows:
        table.add_row(*cells(row), style=_COLOURS[row.verdict])
    console.print(table)


def cells(row: Row) -> tuple[str, str, str, str, str, str, str]:
    """Figure, value, unit, lowest to highest, must, reach for, note: as text."""
    name = f"{row.name} / {row.ratio_to}" if row.ratio_to else row.name
    rounds = " - ".join(number(value) for value in row.spread) if row.spread else ""
    return name, number(row.value), row.unit, rounds, _bound(row, row.must), _bound(row, row.reach), row.note


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _bound(row: Row, value: float | None) -> str:
    if value is None:
        return ""
    return f"{'<' if row.at_most else '>'}= {number(value)}"
