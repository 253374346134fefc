"""What a benchmark answers: figures, whether they are good enough, and lines to plot."""

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
        ratio_to: what `value` is a multiple of, where it is a ratio.
        must: what it has to be for the product to be called fast.
        reach: what would be better still.
        at_most: `must` and `reach` are upper limits, not lower ones.
        spread: lowest and highest of the rounds.
        note: whatever a reader has to know beside it.
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
        """The median of the rounds with their spread."""
        return cls(name, middle(values), unit, ratio_to, must, reach, spread(values), note, at_most)

    @property
    def verdict(self) -> str:
        """One of "reached", "enough" and "missed"; empty where nothing was asked."""
        if self.must is None:
            return ""
        sign = -1 if self.at_most else 1
        if self.reach is not None and sign * self.value >= sign * self.reach:
            return "reached"
        return "enough" if sign * self.value >= sign * self.must else "missed"


@dataclass(frozen=True)
class Series:
    """One plot: a line of (x, y) points for each name."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Answer:
    """What one question found.

    Args:
        question: its name, that of the module.
        about: a sentence or two for docs/performance.md: what ran against what.
        rows: the figures.
        series: the plots.
    """

    question: str
    about: str
    rows: Sequence[Row]
    series: Sequence[Series] = field(default=())
