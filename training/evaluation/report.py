"""The report of an evaluation, as JSON and as tables."""

import math
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from contract.judgement import Thresholds
from training.evaluation.agreement import Agreement
from training.evaluation.calibration import Reliability
from training.evaluation.intervals import Interval
from training.evaluation.scores import Scores
from training.evaluation.thresholds import Answered


@dataclass(frozen=True)
class Report:
    """One model on one set of faces."""

    model: str
    engine: str
    precision: str
    """Of the engine's numbers: the scores differ a little between them."""
    data: str
    scores: Scores
    reliability: Reliability
    intervals: dict[str, Interval]
    robustness: dict[str, Scores]
    answered: Answered
    thresholds: Thresholds | None
    agreement: dict[str, Agreement]
    """By engine, each compared with the first one in 32-bit floats."""

    def as_json(self) -> dict[str, Any]:
        """Shares in 0 to 1; null if there is nothing to divide by."""
        scores = self.scores
        return {
            "model": self.model,
            "engine": self.engine,
            "engine_precision": self.precision,
            "data": self.data,
            "faces": scores.faces,
            "accuracy": _figure(scores.accuracy),
            "mean_recall": _figure(scores.mean_recall),
            "macro_f1": _figure(scores.macro_f1),
            "ece": _figure(self.reliability.error),
            "recall": _figures(scores.recall),
            "precision": _figures(scores.precision),
            "confusion": {"labels": scores.emotions, "counts": scores.confusion.tolist()},
            "intervals": {name: [_figure(low), _figure(high)] for name, (low, high) in self.intervals.items()},
            "robustness": {
                name: {
                    "accuracy": _figure(worse.accuracy),
                    "kept": _figure(worse.accuracy / scores.accuracy if scores.accuracy else math.nan),
                    "mean_recall": _figure(worse.mean_recall),
                }
                for name, worse in self.robustness.items()
            },
            "answered": {
                "coverage": _figure(self.answered.coverage),
                "precision": _figure(self.answered.precision),
                "thresholds": self.thresholds.model_dump() if self.thresholds else None,
            },
            "agreement": {
                name: {
                    "largest_difference": one.largest_difference,
                    "same_top": _figure(one.same_top),
                    "accuracy_difference": _figure(one.accuracy_difference),
                    "agrees": one.holds(name.split()[-1]),
                }
                for name, one in self.agreement.items()
            },
        }

    def show(self, console: Console) -> None:
        """Print it as tables."""
        engine = f"{self.engine} in {self.precision}"
        console.print(f"{self.model} with {engine} on {self.scores.faces:,} faces of {self.data}", markup=False)
        console.print(self._overall())
        console.print(self._emotions())
        console.print(self._robustness())
        if self.agreement:
            console.print(self._agreement())

    def _overall(self) -> Table:
        table = Table("", "measured", "95% interval")
        measured = {
            "accuracy": self.scores.accuracy,
            "mean recall": self.scores.mean_recall,
            "macro F1": self.scores.macro_f1,
            "calibration error": self.reliability.error,
            "answered, coverage": self.answered.coverage,
            "answered, precision": self.answered.precision,
        }
        for (words, figure), interval in zip(measured.items(), self.intervals.values(), strict=True):
            table.add_row(words, _percent(figure), f"{_percent(interval[0])} to {_percent(interval[1])}")
        return table

    def _emotions(self) -> Table:
        table = Table("emotion", "faces", "recall", "precision")
        faces = self.scores.confusion.sum(axis=1)
        for emotion, count in zip(self.scores.emotions, faces, strict=True):
            shares = _percent(self.scores.recall[emotion]), _percent(self.scores.precision[emotion])
            table.add_row(emotion, f"{count:,}", *shares)
        return table

    def _robustness(self) -> Table:
        table = Table("condition", "accuracy", "of the clean one", "mean recall")
        for name, worse in self.robustness.items():
            kept = worse.accuracy / self.scores.accuracy if self.scores.accuracy else math.nan
            table.add_row(name, _percent(worse.accuracy), _percent(kept), _percent(worse.mean_recall))
        return table

    def _agreement(self) -> Table:
        table = Table("engine", "largest difference", "same answer", "accuracy", "as promised")
        for name, one in self.agreement.items():
            table.add_row(
                name,
                f"{one.largest_difference:.1e}",
                f"{one.same_top:.2%}",
                f"{100 * one.accuracy_difference:+.2f} points",
                "yes" if one.holds(name.split()[-1]) else "NO",
            )
        return table


def _figures(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: _figure(figure) for name, figure in figures.items()}


def _figure(figure: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(figure) else round(figure, 6)


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else f"{share:.1%}"
