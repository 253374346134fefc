"""The one writer of CSV: text that a spreadsheet would run as a formula stays text."""

import re
from collections.abc import Iterable
from typing import Protocol

FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""Cells that begin like this are formulas to a spreadsheet; the last four are the wide forms of the first four."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_QUOTED = re.compile(r'[,;\t"\r\n]')
"""A spreadsheet may part cells at a semicolon or a tab, too, so that these must not stand outside quotes."""


class _Writable(Protocol):
    def write(self, text: str, /) -> object: ...


class CsvWriter:
    """Writes rows as RFC 4180 describes them.

    A text that begins like a formula gets an apostrophe in front, as spreadsheets write text. Numbers stay as they are,
    also negative ones, and numbers that are formatted already. None is an empty cell.

    Args:
        file: anything with `write`, opened without translation of line ends.
        line_end: the end of each row.
    """

    def __init__(self, file: _Writable, line_end: str = "\r\n") -> None:
        self._file = file
        self._line_end = line_end

    def writerow(self, cells: Iterable[object]) -> None:
        """Write one row."""
        self._file.write(",".join(map(_cell, cells)) + self._line_end)

    def writerows(self, rows: Iterable[Iterable[object]]) -> None:
        """Write several rows."""
        for cells in rows:
            self.writerow(cells)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if not isinstance(value, int | float) and _is_formula(text):
        text = f"'{text}"
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text


def _is_formula(text: str) -> bool:
    return text.lstrip(" ")[:1] in tuple(FORMULA_STARTS) and not _NUMBER.fullmatch(text)
