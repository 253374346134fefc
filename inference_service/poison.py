"""Distinguishing crops on which the engine fails from an engine that always fails."""

from dataclasses import dataclass

import numpy as np

from contract.errors import reason_of
from inference_service.engines import Engine, EngineError, probe
from inference_service.engines.engine import Pixels, Probabilities


class EngineBroken(Exception):  # noqa: N818
    """The engine can no longer classify anything; the process must end and be restarted."""


@dataclass(frozen=True, slots=True)
class Poison:
    """Why a crop cannot be classified."""

    reason: str


class IsolatingClassifier:
    """Classifies a batch so that a crop on which the engine fails does not affect the other crops.

    If a batch fails, each of its crops is classified alone:

    - A crop that succeeds alone has its result.
    - A crop that fails alone is poison, provided that the engine works. It works if at least one crop of the batch
      succeeded, or if it still classifies the `probe`, noise that it classified when it was loaded.
    - If the engine does not work, no crop is rejected. `EngineBroken` ends the process, and the crops stay pending for
      another worker.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def classify(self, crops: Pixels) -> list[Probabilities | Poison]:
        """The probabilities (labels,) of each of the crops (n, 48, 48), or the reason why there are none.

        Raises:
            EngineBroken: the engine cannot even classify the probe.
        """
        if not len(crops):
            return []
        try:
            return [*self._run(crops)]
        except EngineError as error:
            if len(crops) == 1:
                verdicts: list[Probabilities | Poison] = [Poison(reason_of(error))]
            else:
                verdicts = [self._alone(crop) for crop in crops]
        if all(isinstance(verdict, Poison) for verdict in verdicts):
            self._check_engine()
        return verdicts

    def _alone(self, crop: Pixels) -> Probabilities | Poison:
        try:
            probabilities: Probabilities = self._run(crop[np.newaxis])[0]
        except EngineError as error:
            return Poison(reason_of(error))
        return probabilities

    def _check_engine(self) -> None:
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
        return probabilities.astype("<f4", copy=False)  # the format of readings
