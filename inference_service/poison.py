"""Crops on which the engine fails, told from an engine that fails."""

from dataclasses import dataclass

import numpy as np

from inference_service.engines import Engine, EngineError, probe
from inference_service.engines.engine import Pixels, Probabilities


class EngineBroken(Exception):  # noqa: N818
    """The engine cannot classify anything any more; the process has to end and be started again."""


@dataclass(frozen=True, slots=True)
class Poison:
    """Why a crop cannot be classified."""

    reason: str


class IsolatingClassifier:
    """Classifies a batch in such a way that a crop on which the engine fails harms no other.

    The rule: a batch that fails is run again, each crop alone. What then succeeds is a result. What fails alone is
    poison, if the engine is otherwise sound; it is sound if at least one crop of the batch succeeded, or else if it can
    still classify the `probe`, noise that it could classify when it was loaded. If it cannot, no crop is blamed:
    `EngineBroken` ends the process, and the crops stay pending for another.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def classify(self, crops: Pixels) -> list[Probabilities | Poison]:
        """The probabilities (labels,) of each of the crops (n, 48, 48), or why there are none.

        Raises:
            EngineBroken: the engine cannot even classify the probe.
        """
        if not len(crops):
            return []
        try:
            return [*self._run(crops)]
        except EngineError as error:
            if len(crops) == 1:
                verdicts: list[Probabilities | Poison] = [Poison(str(error))]
            else:
                verdicts = [self._alone(crop) for crop in crops]
        if all(isinstance(verdict, Poison) for verdict in verdicts):
            self._make_sure()
        return verdicts

    def _alone(self, crop: Pixels) -> Probabilities | Poison:
        try:
            probabilities: Probabilities = self._run(crop[np.newaxis])[0]
        except EngineError as error:
            return Poison(str(error))
        return probabilities

    def _make_sure(self) -> None:
        try:
            self._run(probe())
        except EngineError as error:
            raise EngineBroken(f"the engine fails on everything: {error}") from error

    def _run(self, pixels: Pixels) -> Probabilities:
        probabilities = self._engine.classify(pixels)
        if probabilities.shape != (len(pixels), len(self._engine.card.labels)):
            raise EngineError(f"the engine's output is {probabilities.shape} for {len(pixels)} crops")
        if not np.all(np.isfinite(probabilities)):
            raise EngineError("the engine's output is not finite")
        return probabilities.astype("<f4", copy=False)  # as readings carry them
