"""A worker whose engine sleeps instead of computing, so that only the cost of everything else remains.

    python -m benchmarks.testbed.sleeping_worker

Its batches take as long as on a machine with a core for each worker, however few cores there are.
"""

import time
from contextlib import closing
from datetime import timedelta

import numpy as np
from pydantic import Field

from contract.model.folder import ModelCard
from contract.redis.broker import connect
from contract.service.lifecycle import run, stop_on_signal, stop_with_parent
from contract.service.logs import configure
from contract.service.settings import Duration, load
from inference_service.engines.engine import Pixels, Probabilities
from inference_service.service import build
from inference_service.settings import InferenceSettings

LABELS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


class SleeperSettings(InferenceSettings):
    """The settings of a worker, and how long its engine sleeps."""

    sleep: Duration = Field(timedelta(0), description="Sleep per batch of any size.")


class SleepingEngine:
    """Returns the same probabilities for all crops, after sleeping."""

    name = "sleeping"
    precision = "f32"
    card = ModelCard(name="sleeping", version="1.0.0", labels=LABELS, files={})

    def __init__(self, sleep: timedelta) -> None:
        self._seconds = sleep.total_seconds()

    def classify(self, pixels: Pixels) -> Probabilities:
        if self._seconds:
            time.sleep(self._seconds)
        return np.full((len(pixels), len(LABELS)), 1 / len(LABELS), np.float32)


def main() -> None:
    """Run the worker until a signal arrives or the parent process ends."""
    run(_work)


def _work() -> None:
    settings = load(SleeperSettings)
    configure(service="sleeper", level=settings.log_level, as_json=settings.log_json)
    with stop_on_signal() as stop, closing(connect(settings.redis_url, "sleeper")) as clients:
        stop_with_parent(stop)
        build(settings, SleepingEngine(settings.sleep), clients).run(stop)


if __name__ == "__main__":
    main()
