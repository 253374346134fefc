"""Measuring a model on labelled faces."""

from collections.abc import Callable, Mapping, Sized

import numpy as np
from numpy.typing import NDArray

from contract.model.folder import ModelCard
from training.datasets.dataset import Faces
from training.evaluation.agreement import Agreement, compare
from training.evaluation.calibration import reliability
from training.evaluation.faces import over
from training.evaluation.intervals import Interval, bootstrap
from training.evaluation.report import Report
from training.evaluation.robustness import CONDITIONS
from training.evaluation.scores import score
from training.evaluation.thresholds import answered

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Crops (n, 48, 48) uint8 in, probabilities (n, labels) after temperature out: as an engine."""


def evaluate(
    card: ModelCard,
    engine: str,
    precision: str,
    classify: Classify,
    faces: Faces,
    data: str,
    others: Mapping[str, Classify],
) -> Report:
    """Every measurement of a model.

    Args:
        card: the model's.
        engine: the name of the engine that is measured.
        precision: of its numbers.
        classify: what it does.
        faces: as `read_known` gives them; probabilities are scaled over the emotions that they show.
        data: what the faces are called.
        others: engines that should agree, the reference in 32-bit floats first; none: nothing is compared.
    """

    def probabilities(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return over(classify(images), card.labels, faces.emotions)

    clean = probabilities(faces.images)
    return Report(
        model=card.id,
        engine=engine,
        precision=precision,
        data=data,
        scores=score(clean, faces.labels, faces.emotions),
        reliability=reliability(clean, faces.labels),
        intervals=_intervals(clean, faces, card),
        robustness={
            name: score(probabilities(worsen(faces.images)), faces.labels, faces.emotions)
            for name, worsen in CONDITIONS.items()
        },
        answered=answered(clean, faces.labels, card.uncertain),
        thresholds=card.uncertain,
        agreement=_agreement(card, faces, others),
    )


def passes(others: Sized) -> int:
    """How often `evaluate` classifies all faces with these other engines, for a progress bar."""
    return 1 + len(CONDITIONS) + len(others)


def _intervals(probabilities: NDArray[np.float32], faces: Faces, card: ModelCard) -> dict[str, Interval]:
    def measure(rows: NDArray[np.int64]) -> dict[str, float]:
        drawn, labels = probabilities[rows], faces.labels[rows]
        scores = score(drawn, labels, faces.emotions)
        given = answered(drawn, labels, card.uncertain)
        return {
            "accuracy": scores.accuracy,
            "mean_recall": scores.mean_recall,
            "macro_f1": scores.macro_f1,
            "ece": reliability(drawn, labels).error,
            "answered_coverage": given.coverage,
            "answered_precision": given.precision,
        }

    return bootstrap(measure, len(faces))


def _agreement(card: ModelCard, faces: Faces, others: Mapping[str, Classify]) -> dict[str, Agreement]:
    found = {name: over(classify(faces.images), card.labels, faces.emotions) for name, classify in others.items()}
    reference = next(iter(found.values()), None)
    if reference is None:
        return {}
    return {name: compare(reference, one, faces.labels) for name, one in list(found.items())[1:]}
