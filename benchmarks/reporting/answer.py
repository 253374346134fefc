"""The answer of a benchmark: figures, whether they meet their targets, and lines to plot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from benchmarks.measuring.measure import middle, spread


@dataclass(frozen=True)
class Row:
    """One figure.

    Args:
        name: what was measured, for example "default engine at batch 32".
        value: the median over the rounds.
        unit: of `value`, for example "faces/s"; "x" for a ratio.
        ratio_to: the divisor, if `value` is a ratio.
        must: the limit that it has to meet.
        reach: the goal.
        at_most: `must` and `reach` are upper limits, not lower ones.
        spread: lowest and highest value of the rounds.
        note: a remark for the reader.
    """

    name: str
    value: float
    unit: str
    ratio_to: str = ""
    must: float | None = None
    reach: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""
    at_most: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        values: Sequence[float],
        unit: str,
        *,
        ratio_to: str = "",
        must: float | None = None,
        reach: float | None = None,
        note: str = "",
        at_most: bool = False,
    ) -> Self:
        """A row with the median of the rounds and their spread."""
        return cls(name, middle(values), unit, ratio_to, must, reach, spread(values), note, at_most)

    @property
    def verdict(self) -> str:
        """One of "reached", "enough" and "missed"; empty without a limit."""
        if self.must is None:
            return ""
        sign = -1 if self.at_most else 1
        if self.reach is not None and sign * self.value >= sign * self.reach:
            return "reached"
        return "enough" if sign * self.value >= sign * self.must else "missed"


@dataclass(frozen=True)
class Series:
    """One plot: a line of (x, y) points per name."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Answer:
    """The result of one question.

    Args:
        question: its name, which is that of its module.
        about: one or two sentences for docs/performance.md: what was compared with what.
        rows: the figures.
        series: the plots.
    """

    question: str
    about: str
    rows: Sequence[Row]
    series: Sequence[Series] = field(default=())
