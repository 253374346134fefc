"""The figures of docs/performance.md: the text between two marks is generated from the record.

    <!-- figures: engine -->
    ... a table, plots ...
    <!-- end -->

`must` in place of a question is the table of all figures with a limit.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from benchmarks.reporting.answer import Row
from benchmarks.reporting.plot import draw
from benchmarks.reporting.record import Entry, Record
from benchmarks.reporting.table import cells

_PLACE = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write(page: Path, record: Record) -> None:
    """Insert the figures of the record between their marks, and write the plots to the folder named after the page."""

    def figures(place: re.Match[str]) -> str:
        name = place[2]
        if name == "must":
            text = _targets(record)
        else:
            text = _section(record[name], page) if name in record else "Not measured yet.\n"
        return f"{place[1]}{text}{place[3]}"

    page.write_text(_PLACE.sub(figures, page.read_text()))


def _targets(record: Record) -> str:
    rows = [row for entry in record.values() for row in entry.answer.rows if row.must is not None]
    return _table(rows, ("figure", "value", "unit", "rounds", "must", "reach for", "note")) if rows else ""


def _section(entry: Entry, page: Path) -> str:
    answer = entry.answer
    lines = [f"{answer.about}\n\n", _table(answer.rows, ("figure", "value", "unit", "rounds", "", "", "note")), "\n"]
    for number, series in enumerate(answer.series, 1):
        file = page.with_suffix("") / f"{answer.question}-{number}.png"
        draw(series, file)
        lines.append(f"![{series.title}]({file.relative_to(page.parent).as_posix()})\n\n")
    lines.append(f"Measured on {entry.machine.sentence}.\n")
    return "".join(lines)


def _table(rows: Iterable[Row], columns: tuple[str, ...]) -> str:
    """A Markdown table; columns without a name are left out."""
    kept = [index for index, column in enumerate(columns) if column]
    lines = [[columns[index] for index in kept], ["---"] * len(kept)]
    lines += [[cells(row)[index].replace("|", "/") for index in kept] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
